"""What travels and what is signed: pure data, no I/O."""
