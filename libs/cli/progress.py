"""A task as it goes, on standard error: a line for each step, and on a terminal also the seconds that pass."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from libs.client import models

_STEPS = {
    "requested": "asked; the scheduler takes it",
    "queued": "waits for the agent",
    "offered": "the agent has it",
    "unanswered": "no answer came; a comparison will settle it",
}
_A_SECOND = 4  # looks at the clock


class Progress:
    """Shows nothing when `quiet`."""

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self._quiet = quiet
        self._began, self._step = time.monotonic(), ""
        self._console = console or Console(stderr=True, highlight=False)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            self._live = Live(self, console=self._console, refresh_per_second=_A_SECOND, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __rich__(self) -> Text:
        return Text(f"  {time.monotonic() - self._began:5.1f} s  {self._step} …" if self._step else "", style="dim")

    def told(self, task: models.Task) -> None:
        """The task has changed."""
        step = _STEPS.get(task.state, "")
        if not step or step == self._step or self._quiet:
            return
        self._step = step
        line = f"  {time.monotonic() - self._began:5.1f} s  {step}"
        if self._live is not None:
            self._console.print(Text(line))
        else:
            print(line, file=sys.stderr, flush=True)
