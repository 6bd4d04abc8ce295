"""Messages: a narrow port, its topology as data, two engines."""
