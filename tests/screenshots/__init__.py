"""`make screenshots`: each page as people see it, light and dark, wide and narrow.

The pages are the gateway's own, on the twins of store, broker and host, so that a minute suffices and no root is
needed. All pictures go to build/screenshots/; those that the README shows also to docs/screenshots/.
"""
