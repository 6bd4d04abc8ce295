"""What one reset costs each process: gateway, scheduler, bundler, broker, store and agent, on real parts."""

import os
import statistics
import time
from pathlib import Path

from tests.e2e.site import Site, site
from tests.lab.lab import Lab

RESETS = 30
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(root: Path, folder: Path) -> dict[str, float]:
    """The rows of the report; without a lab, none."""
    with Lab(folder / "lab").claim() as lab, site(root, lab, "bench-01") as running:
        account = running.add_account("bench")
        for _ in range(3):
            running.resets(account)
        before, took = _spent(running), []
        for _ in range(RESETS):
            began = time.monotonic()
            ended = running.resets(account)
            took.append(time.monotonic() - began)
            assert ended.state == "done"
        after = _spent(running)
        rows = {
            f"reset_cpu_ms_{name}": round((after[name] - before[name]) / RESETS * 1_000, 2) for name in sorted(before)
        }
        rows["reset_cpu_ms_whole"] = round(sum(rows.values()), 2)
        rows["reset_save_to_proven_ms_median"] = round(statistics.median(took) * 1_000, 1)
        rows["agent_resident_mb"] = round(_resident(_of_agent(running, "statm")) / 1e6, 1)
        return rows


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
    return spent | {"agent": _cpu(_of_agent(running, "stat"))}


def _of_agent(running: Site, file: str) -> str:
    """A file of the agent's process under the host's own /proc."""
    pid = running.host.run(["systemctl", "show", "-P", "MainPID", "keyturn-agent.service"], text=True).stdout.strip()
    return running.host.read(f"/proc/{pid}/{file}").decode()


def _cpu(stat: str) -> float:
    fields = stat.rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15]) / _TICKS


def _resident(statm: str) -> int:
    return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")
