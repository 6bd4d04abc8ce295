"""What the demo says: numbered steps in plain words, each with how long it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_BOLD, _DIM, _GREEN, _RED, _END = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"


@dataclass
class Screen:
    """Standard output, in colour where it is a terminal."""

    colour: bool = field(default_factory=sys.stdout.isatty)
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each step took, by its name in the report."""

    def title(self, text: str) -> None:
        """The first line."""
        self._print(f"{self._in(_BOLD, text)}\n")

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[None]:
        """One step: what it does first, how long it took last; what is said meanwhile stands below it."""
        number = len(self.seconds) + 1
        self._print(f"{self._in(_BOLD, f'{number:2d}.')} {what}")
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self._print(f"    {self._in(_RED, '✗')} after {time.monotonic() - began:.1f} s")
            raise
        self.seconds[name] = round(time.monotonic() - began, 3)
        self._print(f"    {self._in(_GREEN, '✓')} {self._in(_DIM, f'{self.seconds[name]:.1f} s')}")

    def say(self, *lines: str) -> None:
        """Lines below a step."""
        for line in lines:
            self._print(f"    {line}")

    def command(self, line: str) -> None:
        """A command as a person would type it."""
        self._print(f"    {self._in(_DIM, '$ ' + line)}")

    def table(self, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """A table without lines."""
        widths = [max(len(row[n]) for row in (heads, *rows)) for n in range(len(heads))]
        for number, row in enumerate((heads, *rows)):
            line = "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            self.say("  " + (line if number else self._in(_DIM, line)))

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{_END}" if self.colour else text

    def _print(self, text: str) -> None:
        print(text, flush=True)
