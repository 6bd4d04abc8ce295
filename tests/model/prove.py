"""The proof, as a table: `python -m tests.model.prove`, every setting of the checker, every weaker rule, and many seeds
of the simulation. With `-v` each counter-example is told step by step.

A row is what one run gave. `SOURCES` is the list of what makes rows; a new kind of run is one more function in it.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from tests.model.checker.explore import Outcome, Setting, explore
from tests.model.checker.settings import SETTINGS_ALL
from tests.model.checker.variants import VARIANTS
from tests.model.sim.rows import found

_PROCESSES = 2
_FRESH_AFTER = 1
"""Runs of a process before another takes its place: what one remembered is no use to the next."""


@dataclass(frozen=True)
class Row:
    """One run: how large it was, how long it took, what it found, and the story where there is one to tell."""

    name: str
    size: str
    seconds: float
    found: str
    wrong: bool
    story: str = ""

    def __str__(self) -> str:
        return f"  {'NO' if self.wrong else 'ok'} {self.name:<56} {self.size:>20} {self.seconds:>8.1f} s  {self.found}"


@dataclass(frozen=True)
class Source:
    """Runs of one kind, and what they are to show."""

    title: str
    rows: Callable[[], Iterator[Row]]


def settings() -> Iterator[Row]:
    """Every setting is explored whole, and nothing is broken in any state of it."""
    for setting, outcome in _explored(SETTINGS_ALL):
        violation = outcome.violation
        found = "0 violations" if violation is None else violation.broken
        yield Row(setting.name, _states(outcome), outcome.seconds, found, violation is not None, str(violation or ""))


def variants() -> Iterator[Row]:
    """Every weaker rule is caught."""
    for variant, outcome in _explored(VARIANTS):
        violation = outcome.violation
        found = "NOT CAUGHT" if violation is None else f"caught in {len(violation.way)} steps: {violation.broken}"
        story = "" if violation is None else str(violation)
        yield Row(variant.name, _states(outcome), outcome.seconds, found, violation is None, story)


def simulation(seeds: int, first: int) -> Iterator[Row]:
    """No seed from `first` on violates an invariant; and how often each kind of fault was injected in them."""
    together = found(seeds, first)
    name = f"seeds {first} to {first + seeds - 1}, {together.faults.total():,} faults"
    violations = [f"seed {seed}: {what}" for seed, what in sorted(together.violations)]
    said = f"{len(violations)} violations"
    wrong = bool(violations)
    yield Row(name, f"{together.steps:,} steps", together.seconds, said, wrong, "\n".join(violations))
    for kind, times in sorted(together.faults.items()):
        yield Row(f"  {kind.replace('_', ' ')}", f"{times:,} times", 0.0, "", wrong=False)


SOURCES: tuple[Source, ...] = (
    Source("The rules hold in every state", settings),
    Source("Each weaker rule is caught", variants),
)
_SEEDS = 1_000


def prove(sources: Sequence[Source] = SOURCES, *, stories: bool = False) -> int:
    """Prints every row as it comes; how many were wrong. `stories`: also of rows that are as they should be."""
    wrong = 0
    for source in sources:
        print(source.title, flush=True)
        rows = seconds = bad = 0.0
        for row in source.rows():
            print(row, flush=True)
            if row.story and (row.wrong or stories):
                print(row.story, flush=True)
            rows, seconds, bad = rows + 1, seconds + row.seconds, bad + row.wrong
        print(f"  {rows:.0f} runs, {seconds:.1f} s, {bad:.0f} wrong\n", flush=True)
        wrong += int(bad)
    return wrong


def _explored(runs: Sequence[Setting]) -> Iterator[tuple[Setting, Outcome]]:
    context = get_context("spawn")
    with ProcessPoolExecutor(_PROCESSES, context, max_tasks_per_child=_FRESH_AFTER) as pool:
        yield from zip(runs, pool.map(explore, runs), strict=True)


def _states(outcome: Outcome) -> str:
    return f"{outcome.states:,} states"


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.model.prove", description=__doc__)
    parser.add_argument("--seeds", type=int, default=_SEEDS, metavar="N", help="simulations (%(default)s)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first one's seed (%(default)s)")
    parser.add_argument("-v", dest="stories", action="store_true", help="tell each counter-example step by step")
    asked = parser.parse_args()
    rows = partial(simulation, asked.seeds, asked.first)
    simulated = Source("The whole system, simulated: no seed breaks an invariant", rows)
    return 1 if prove([*SOURCES, simulated], stories=asked.stories) else 0


if __name__ == "__main__":
    sys.exit(main())
