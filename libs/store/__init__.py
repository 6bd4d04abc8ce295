"""Documents: a narrow port, two engines, and the nouns written once on top."""
