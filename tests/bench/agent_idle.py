"""What an agent costs its host while nothing is asked of it, and how large it is on its way there."""

import os
import time

from tests.bench.rows import Row, Table
from tests.e2e.site import Site

SECONDS = 60.0
"""A held poll ends and the next one begins within it."""

_TICKS = os.sysconf("SC_CLK_TCK")
_AIMS = "aims: 64 MB, 0.1 % of a core, 25 MB"


def measure(running: Site) -> Table:
    """Memory, its peak, CPU over a minute of held polls, and the package's size."""
    proc = f"/proc/{running.agent_pid()}"
    before, began = _cpu(running, proc), time.monotonic()
    time.sleep(SECONDS)
    spent, seconds = _cpu(running, proc) - before, time.monotonic() - began
    status = dict(line.split(":", 1) for line in running.host.read(f"{proc}/status").decode().splitlines())
    size = (running.folder / f"{running.host.name}.zip").stat().st_size
    return Table(
        f"An idle agent on its host, over {seconds:.0f} s ({_AIMS})",
        (
            Row("agent_idle_resident_mb", _megabytes(status["VmRSS"]), "resident memory, MB"),
            Row("agent_peak_resident_mb", _megabytes(status["VmHWM"]), "the most that was ever resident, MB"),
            Row("agent_idle_cpu_percent", round(spent / seconds * 100, 3), "of a core, %"),
            Row("agent_package_mb", round(size / 1e6, 1), "the package, MB"),
        ),
    )


def _cpu(running: Site, proc: str) -> float:
    """Seconds of the agent itself: utime and stime of proc(5)."""
    fields = running.host.read(f"{proc}/stat").decode().rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:13]) / _TICKS


def _megabytes(kibibytes: str) -> float:
    return round(int(kibibytes.split(maxsplit=1)[0]) * 1_024 / 1e6, 1)
