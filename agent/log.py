"""The agent's log: one JSON line an event, on stderr. Never a password, never a body."""

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

LEVELS = ("debug", "info", "warning", "error")


@dataclass
class Log:
    """Writes lines at or above a level."""

    level: str = "info"
    stream: TextIO = field(default_factory=lambda: sys.stderr)

    def say(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """One line."""
        if LEVELS.index(level) < LEVELS.index(self.level):
            return
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": time, "level": level, "event": event} | {key: _cut(value) for key, value in fields.items()}
        print(json.dumps(line), file=self.stream, flush=True)


def _cut(value: Any) -> Any:
    return value if isinstance(value, int | float | bool) or value is None else str(value)[:500]
