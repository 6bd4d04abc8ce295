"""The web page in a real browser, against a whole installation with a real host."""
