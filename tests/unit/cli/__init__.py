"""The command `keyturn`, on the whole system without a socket."""
