"""What a run tells: a table for people, one JSON object for machines."""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.faults.runs import Outcome

_FAULT, _PROCESS = 34, 20


def table(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Experiments by fault and process, and what they showed."""
    counts = f"{'runs':>5}{'lost':>6}{'lies':>6}{'stuck':>6}{'none':>6}{'healed':>9}"
    head = f"{'fault':<{_FAULT}}{'process':<{_PROCESS}}{counts}"
    lines = [head, "-" * len(head)]
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.experiment.fault, outcome.experiment.process), []).append(outcome)
    lines += [_line(fault, process, group) for (fault, process), group in groups.items()]
    lines += ["-" * len(head), _line("all", f"in {seconds:.0f} s", outcomes)]
    return "\n".join(lines)


def _line(fault: str, process: str, group: Sequence[Outcome]) -> str:
    longest = max((outcome.verdict.seconds for outcome in group), default=0.0)
    lost, lies, stuck = (sum(bool(getattr(o.verdict, kind)) for o in group) for kind in ("lost", "lies", "stuck"))
    none = sum(outcome.accident is not None for outcome in group)
    counts = f"{len(group):>5}{lost:>6}{lies:>6}{stuck:>6}{none:>6}"
    return f"{fault:<{_FAULT}}{process:<{_PROCESS}}{counts}{longest:>7.1f} s"


def write(path: Path, outcomes: Sequence[Outcome], *, seconds: float, seed: int | None) -> None:
    """The report, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "seconds": round(seconds, 1),
        "seed": seed,
        "experiments": len(outcomes),
        "lost": sum(bool(outcome.verdict.lost) for outcome in outcomes),
        "lies": sum(bool(outcome.verdict.lies) for outcome in outcomes),
        "stuck": sum(bool(outcome.verdict.stuck) for outcome in outcomes),
        "not_reached": sum(outcome.accident is not None for outcome in outcomes),
        "longest_heal_seconds": round(max((outcome.verdict.seconds for outcome in outcomes), default=0.0), 1),
        "rows": [_row(outcome) for outcome in outcomes],
    }
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(report, indent=1) + "\n")
    aside.replace(path)


def _row(outcome: Outcome) -> dict[str, object]:
    verdict = outcome.verdict
    return {
        "fault": outcome.experiment.fault,
        "process": outcome.experiment.process,
        "place": outcome.experiment.place,
        "status": verdict.status,
        "tasks": verdict.tasks,
        "lost": verdict.lost,
        "lies": verdict.lies,
        "stuck": verdict.stuck,
        "accident": outcome.accident,
        "healed_in": round(verdict.seconds, 2),
        "seconds": round(outcome.seconds, 2),
    }
