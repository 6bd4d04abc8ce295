"""The typed client, on the real gateway without a socket."""
