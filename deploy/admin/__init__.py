"""The operator's commands, `keyturn-server`: first keys, the store, runtimes, and whether all is as it should be."""
