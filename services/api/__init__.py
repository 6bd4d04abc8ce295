"""The gateway: the one door that people and agents reach, HTTPS on port 7272."""
