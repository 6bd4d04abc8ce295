"""The typed client of the public API: what the command `keyturn` builds on. It knows the wire only."""
