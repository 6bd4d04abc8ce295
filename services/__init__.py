"""The three processes; strangers to each other."""
