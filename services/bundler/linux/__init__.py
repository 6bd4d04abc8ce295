"""What is particular about packages for Linux."""
