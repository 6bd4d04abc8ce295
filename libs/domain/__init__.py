"""The rules: pure functions of values and the time."""
