"""The log's file on a host that has no journal: bounded, because nobody there may turn it over.

What is older than the bound is in one file beside it, so both together never have more than twice the bound.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 1024 * 1024


@dataclass
class Kept:
    """A file that takes lines. A disk that takes none does not end the agent: the line is lost."""

    path: Path
    most: int = MOST_BYTES

    def write(self, text: str, /) -> None:
        """Appends, in a file that only its owner reads."""
        with contextlib.suppress(OSError):
            if self.path.exists() and self.path.stat().st_size >= self.most:
                self.path.replace(self.path.with_name(f"{self.path.name}.old"))
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)

    def flush(self) -> None:
        """Nothing is held back."""
