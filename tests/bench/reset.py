"""What one reset costs each process: gateway, scheduler, bundler, broker, store and agent, on real parts.

A process that idles costs something too. It is measured first and taken off, so that a row is what a reset adds.
"""

import os
import statistics
import time
from pathlib import Path

from tests.bench.rows import Row, Table
from tests.e2e.site import Site

WARM, RESETS, IDLE_SECONDS = 3, 30, 10.0
_TICKS = os.sysconf("SC_CLK_TCK")
_AGENT = "agent"


def measure(running: Site) -> Table:
    """CPU by process, with that of its children that ended; and what a person waits for."""
    account = running.add_account("bench")
    for _ in range(WARM):
        running.resets(account)
    idle = _rates(running)
    before, began, took = _spent(running), time.monotonic(), []
    for _ in range(RESETS):
        asked = time.monotonic()
        ended = running.resets(account)
        took.append(time.monotonic() - asked)
        if ended.state != "done":
            raise TimeoutError(f"a reset ended as {ended.state}")
    seconds, after = time.monotonic() - began, _spent(running)
    resident = _resident(running.host.read(f"/proc/{running.agent_pid()}/statm").decode())
    cost = {name: (after[name] - before[name] - idle[name] * seconds) / RESETS * 1_000 for name in before}
    idling = (
        Row(f"idle_cpu_ms_a_second_{name}", round(idle[name] * 1_000, 1), f"idle {name}, ms a second") for name in idle
    )
    return Table(
        f"One reset on real parts: CPU that it adds to each process (over {RESETS} resets)",
        (
            *(Row(f"reset_cpu_ms_{name}", round(each, 1), f"{name}, ms") for name, each in cost.items()),
            Row("reset_cpu_ms_whole", round(sum(cost.values()), 1), "all of them, ms"),
            Row("reset_save_to_proven_ms", round(statistics.median(took) * 1_000, 0), "from save to proven, median ms"),
            *idling,
            Row("agent_resident_mb", round(resident / 1e6, 1), "resident memory of the agent, MB"),
        ),
    )


def _rates(running: Site) -> dict[str, float]:
    """CPU seconds a second of each process while nothing is asked of it but the agent's held poll."""
    before, began = _spent(running), time.monotonic()
    time.sleep(IDLE_SECONDS)
    after, seconds = _spent(running), time.monotonic() - began
    return {name: (after[name] - before[name]) / seconds for name in before}


def _spent(running: Site) -> dict[str, float]:
    """CPU seconds of each process so far, with those of its children that ended."""
    server = running.server
    pids = {
        "gateway": server.process("gateway").pid,
        "scheduler": server.process("scheduler").pid,
        "bundler": server.process("bundler").pid,
        "broker": server.broker.pid,
        "store": server.store.pid,
    }
    spent = {name: _cpu(Path(f"/proc/{pid}/stat").read_text()) for name, pid in pids.items()}
    return spent | {_AGENT: _cpu(running.host.read(f"/proc/{running.agent_pid()}/stat").decode())}


def _cpu(stat: str) -> float:
    """The sum of utime, stime, cutime and cstime of proc(5), in seconds."""
    fields = stat.rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15]) / _TICKS


def _resident(statm: str) -> int:
    return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")
