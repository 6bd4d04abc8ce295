"""The deterministic simulation: the real code of all four processes on a clock that jumps, with seeded faults."""
