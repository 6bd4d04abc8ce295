"""The status file, kept true: who answers, since when, and what the last trouble was."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from agent.failures import Failures
from agent.host.processes import birth_of
from agent.host.status import Status, write_status

_EVERY = 15_000


@dataclass
class Told:
    """Writes the status file when it changes, and now and then while all is well."""

    folder: Path
    server: str
    clock: Callable[[], int]

    def __post_init__(self) -> None:
        self.failures = Failures(self.folder)
        pid = os.getpid()
        self._status = Status(pid=pid, birth=birth_of(pid) or 0, server=self.server, started_at=self.clock())
        self._write(self._status)

    def answered(self) -> None:
        """The server answered."""
        now, before = self.clock(), self._status
        if before.problem is not None or before.answered_at is None or now - before.answered_at >= _EVERY:
            self._write(replace(before, answered_at=now, problem=None, needs_a_person=False))

    def at(self, server: str, note: str | None) -> None:
        """The server is reached at this place; `note` is what else there is to say of it."""
        if (server, note) != (self._status.server, self._status.note):
            self._write(replace(self._status, server=server, note=note))

    def problem(self, sentence: str, *, needs_a_person: bool = False) -> None:
        """Something is wrong, and perhaps goes on being wrong until somebody acts."""
        code, colon, words = sentence.partition(": ")
        self.failures.note(code if colon else "unknown", words if colon else sentence, self.clock())
        if sentence != self._status.problem:
            self._write(replace(self._status, problem=sentence, needs_a_person=needs_a_person))

    def _write(self, status: Status) -> None:
        self._status = status
        # A full disk must not end the agent for the sake of a file that only people read.
        with contextlib.suppress(OSError):
            write_status(self.folder, status)
