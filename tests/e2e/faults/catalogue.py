"""All experiments, and the sample of them that the tests run."""

import random
from collections.abc import Sequence
from fnmatch import fnmatch

from tests.e2e.faults import at_steps, clocks, cuts, disks, locks, parts, power, queues, restores
from tests.e2e.faults.experiment import Experiment

_SOURCES = (at_steps, parts, cuts, queues, disks, locks, power, clocks, restores)


def all_experiments() -> list[Experiment]:
    """Every experiment; each name once."""
    found = [each for source in _SOURCES for each in source.experiments()]
    names = [each.name for each in found]
    if len(set(names)) != len(names):
        raise ValueError(f"two experiments of one name: {sorted({n for n in names if names.count(n) > 1})}")
    return found


def only(patterns: Sequence[str]) -> list[Experiment]:
    """Those whose name has one of the patterns, or matches it with * and ?."""
    return [
        each
        for each in all_experiments()
        if any(pattern in each.name or fnmatch(each.name, pattern) for pattern in patterns)
    ]


def sample(count: int, seed: int) -> list[Experiment]:
    """So many of them, with at least one of each fault as far as that goes, in the catalogue's order."""
    chance = random.Random(seed)  # noqa: S311 - a choice that can be made again
    everything = all_experiments()
    order = chance.sample(everything, len(everything))
    faults: set[str] = set()
    first: list[Experiment] = []
    rest: list[Experiment] = []
    for each in order:
        (rest if each.fault in faults else first).append(each)
        faults.add(each.fault)
    chosen = (first + rest)[:count]
    return [each for each in everything if each in chosen]
