"""`make demo`: one reset, from an empty machine to the proof, on a real host."""
