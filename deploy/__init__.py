"""How Keyturn is set up, run and administered."""
