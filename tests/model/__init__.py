"""The protocol under planned faults, on the real code of every process and the twins of what lies between them."""
