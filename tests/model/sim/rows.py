"""Many seeds at once, in two processes, and the rows that they give to the table of `make prove`."""

import multiprocessing
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.model.sim.run import run

_TOGETHER = 4
_PROCESSES = 2


@dataclass
class Found:
    """What a number of seeds gave together."""

    seeds: int = 0
    steps: int = 0
    """How often the invariants were looked at."""
    seconds: float = 0.0
    simulated: float = 0.0
    """Seconds that passed in the simulations."""
    longest_to_rest: float = 0.0
    """Simulated seconds from the last fault until everything had come to rest, in the worst seed."""
    faults: "Counter[str]" = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)
    """Seed, and the first thing that did not hold in it."""

    def add(self, other: "Found") -> None:
        """What others gave as well."""
        self.seeds += other.seeds
        self.steps += other.steps
        self.simulated += other.simulated
        self.longest_to_rest = max(self.longest_to_rest, other.longest_to_rest)
        self.faults += other.faults
        self.violations += other.violations


def _of_one(seed: int) -> Found:
    trace = run(seed)
    return Found(
        seeds=1,
        steps=trace.steps,
        simulated=trace.simulated,
        longest_to_rest=trace.healed_in,
        faults=trace.faults,
        violations=[(seed, each) for each in trace.violations[:1]],
    )


def found(seeds: int, first: int = 0) -> Found:
    """So many seeds from `first` on."""
    began, together = time.monotonic(), Found()
    context = multiprocessing.get_context("spawn")
    with context.Pool(_PROCESSES) as pool:
        for each in pool.imap_unordered(_of_one, range(first, first + seeds), chunksize=_TOGETHER):
            together.add(each)
    together.seconds = time.monotonic() - began
    return together


def rows(seeds: int, first: int = 0) -> list[tuple[str, str]]:
    """What is counted, and how much: the simulation's part of the table."""
    together = found(seeds, first)
    kinds = [(f"  {kind.replace('_', ' ')}", f"{count:,}") for kind, count in sorted(together.faults.items())]
    return [
        ("simulation: seeds", f"{together.seeds:,} from {first}"),
        ("simulation: steps looked at", f"{together.steps:,}"),
        ("simulation: hours simulated", f"{together.simulated / 3_600:,.1f}"),
        ("simulation: longest way to rest", f"{together.longest_to_rest:,.0f} s"),
        ("simulation: seconds", f"{together.seconds:,.0f}"),
        ("simulation: faults injected", f"{together.faults.total():,}"),
        *kinds,
        ("simulation: violations", f"{len(together.violations):,}"),
        *((f"  seed {seed}", what) for seed, what in sorted(together.violations)),
    ]
