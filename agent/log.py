"""The agent's log: one JSON line an event, on stderr or in a file of its own. Never a password, never a body."""

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

LEVELS = ("debug", "info", "warning", "error")


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> None: ...


@dataclass
class Log:
    """Writes lines at or above a level."""

    level: str = "info"
    stream: Stream = field(default_factory=lambda: sys.stderr)

    def say(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """One line."""
        if LEVELS.index(level) < LEVELS.index(self.level):
            return
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": time, "level": level, "event": event} | {key: _cut(value) for key, value in fields.items()}
        print(json.dumps(line), file=self.stream, flush=True)


def _cut(value: Any) -> Any:
    return value if isinstance(value, int | float | bool) or value is None else str(value)[:500]
