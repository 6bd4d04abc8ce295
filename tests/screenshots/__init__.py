"""`make screenshots`: each page as people see it, light and dark, wide and narrow.

The pages are the gateway's own, on the twins of store, broker and host, so that a minute suffices and no root is
needed. All pictures go to docs/screenshots/; the repository keeps those that the README shows.
"""
