"""The command `keyturn`: what people and scripts do from a terminal."""
