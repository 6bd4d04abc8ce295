"""What the bench tells: rows under a title, for people as a table and for machines as one JSON object."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LABEL, _VALUE = 52, 10


@dataclass(frozen=True)
class Row:
    """One figure. `name` ends in its unit and stays the same from release to release."""

    name: str
    value: float
    says: str


@dataclass(frozen=True)
class Table:
    """Figures that belong together."""

    title: str
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        lines = (f"  {row.says:<{_LABEL}}{row.value:>{_VALUE},g}" for row in self.rows)
        return "\n".join((self.title, *lines, ""))


def write(path: Path, tables: Sequence[Table], *, seconds: float, left_out: Sequence[str]) -> None:
    """The report, whole or not at all. `left_out` says in sentences what was not measured, and why."""
    report = {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "load_average": round(os.getloadavg()[0], 2),
        "seconds": round(seconds, 1),
        "left_out": list(left_out),
        "rows": {row.name: row.value for table in tables for row in table.rows},
    }
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(report, indent=2) + "\n")
    aside.replace(path)
