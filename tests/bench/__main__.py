"""`python -m tests.bench`: measures, prints tables, writes build/bench/report.json. It ends by itself.

The pages are measured on a store of 10,000 machines, which takes minutes to fill; MACHINES says another number of them.

Exit status: 0 measured (what this machine cannot measure is said), 1 something failed or took too long.
"""

import os
import signal
import sys
import time
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.packaging.linux.pack import BuildError
from deploy.local.errors import LocalError
from libs.client.errors import ClientError
from tests.bench import agent_idle, pages, polls, reset
from tests.bench.rows import Table, write
from tests.e2e.site import site
from tests.lab.errors import LabError, LabInUseError
from tests.lab.lab import Lab

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build/bench"
OVERDUE_SECONDS = 1_200
"""Five to eight minutes are usual; past this something hangs, and what was started is ended."""

_ENDS = (signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """The exit status."""
    for number in _ENDS:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    signal.signal(signal.SIGALRM, _overdue)
    signal.alarm(OVERDUE_SECONDS)
    began = time.monotonic()
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(dir=FOLDER, prefix="run-") as work:
            try:
                tables, left_out = _measure(Path(work))
            finally:
                # Asked once is enough: what ends now is not interrupted on its way.
                signal.alarm(0)
                for number in (signal.SIGINT, *_ENDS):
                    signal.signal(number, signal.SIG_IGN)
    except KeyboardInterrupt:
        print("\nStopped, and everything that was started is gone.")
        return 130
    except (TimeoutError, LabError, LocalError, ClientError, BuildError) as error:
        print(f"\nThe bench ended early: {error}", file=sys.stderr)
        return 1
    seconds = time.monotonic() - began
    write(FOLDER / "report.json", tables, seconds=seconds, left_out=left_out)
    print(f"Written to build/bench/report.json in {seconds:.0f} s. Times are this machine's; ratios travel.")
    return 0


def _measure(work: Path) -> tuple[list[Table], list[str]]:
    """Every table, each printed as soon as it is there, and what this machine cannot measure."""
    tables: list[Table] = []

    def found(table: Table) -> None:
        tables.append(table)
        print(table, flush=True)

    found(polls.empty(work))
    held, left_out = polls.held(work)
    found(held)
    found(pages.measure(ROOT, work, machines=int(os.environ.get("MACHINES", pages.MANY))))
    if (sentence := Lab.available()) is None:
        with _lab() as lab, site(ROOT, lab, "bench-01") as running:
            found(reset.measure(running))
            found(agent_idle.measure(running))
    else:
        left_out.append(f"A reset is not measured: {sentence}")
    print(*left_out, sep="\n")
    return tables, left_out


def _lab() -> Lab:
    """The first lab that no living run holds, cleaned of a dead one."""
    for number in count(1):
        try:
            return Lab(FOLDER / f"lab-{number}").claim()
        except LabInUseError:
            continue
    raise AssertionError("numbers do not end")


def _overdue(number: int, frame: object) -> None:
    del number, frame
    raise TimeoutError(f"it took more than {OVERDUE_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
