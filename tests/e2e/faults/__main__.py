"""`python -m tests.e2e.faults`: runs experiments, prints a table, writes build/faults/report.json. It ends by itself.

Exit status: 0 nothing lost, no lie, nothing stuck; 1 something of that, or an experiment whose moment never came.
"""

import argparse
import signal
import sys
import time
from itertools import count
from pathlib import Path

from tests.e2e.faults import catalogue, report
from tests.e2e.faults.ground import ground
from tests.e2e.faults.runs import Outcome, Runs
from tests.lab.errors import LabInUseError
from tests.lab.lab import Lab

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "build/faults"


def main() -> int:
    """The exit status."""
    asked = _parser().parse_args()
    if asked.sample is not None:
        chosen = catalogue.sample(asked.sample, asked.seed)
    else:
        chosen = catalogue.only(asked.only) if asked.only else catalogue.all_experiments()
    if asked.list:
        print(*(each.name for each in chosen), f"{len(chosen)} experiments", sep="\n")
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    if (sentence := Lab.available()) is not None:
        print(sentence, file=sys.stderr)
        return 1
    began = time.monotonic()
    outcomes: list[Outcome] = []
    try:
        with _lab() as lab, ground(ROOT, lab) as on:
            runs = Runs(on)
            for n, experiment in enumerate(chosen, 1):
                outcomes.append(runs.run(experiment))
                print(f"{n:>4}/{len(chosen)} {experiment.name}: {outcomes[-1].sentence}", flush=True)
    except KeyboardInterrupt:
        print("\nStopped, and everything that was started is gone.")
    finally:
        seconds = time.monotonic() - began
        if outcomes:
            print("", report.table(outcomes, seconds), sep="\n")
            report.write(FOLDER / "report.json", outcomes, seconds=seconds, seed=asked.seed if asked.sample else None)
            print("Written to build/faults/report.json.")
    return 0 if len(outcomes) == len(chosen) and all(outcome.good for outcome in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.faults", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="PATTERN", help="those whose name has this, or matches it with * and ?"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="so many, of every kind")
    parser.add_argument("--seed", type=int, default=1, help="of the sample; the same one chooses the same")
    parser.add_argument("--list", action="store_true", help="name them and do nothing")
    return parser


def _lab() -> Lab:
    """The first lab that no living run holds, cleaned of a dead one."""
    for number in count(1):
        try:
            return Lab(FOLDER / f"lab-{number}").claim()
        except LabInUseError:
            continue
    raise AssertionError("numbers do not end")


if __name__ == "__main__":
    sys.exit(main())
