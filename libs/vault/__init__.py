"""The vault: who can read a password is who holds a key."""
