"""The scheduler: it alone changes an account's status, opens the vault and signs jobs. Nobody but broker and store
reaches it.
"""
