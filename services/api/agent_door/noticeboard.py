"""The notices that agents follow, as they lie in `public/notices.json`: read at the start, and again when they changed.

The gateway checks none of them: they count by their signatures, which the agents check.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from pydantic import ValidationError

from libs.wire.notice import AT_ONCE, Notices, SignedNotice

FILE = "notices.json"
LOOK_SECONDS = 5.0

_log = structlog.get_logger(__name__)


@dataclass
class Noticeboard:
    """What hangs there. Without a file there is nothing, and never was."""

    file: Path | None = None
    _hung: tuple[tuple[int, SignedNotice], ...] = ()
    _seen: tuple[int, int] = field(default=(0, 0), init=False)

    def __post_init__(self) -> None:
        self.look()

    @property
    def newest(self) -> int:
        """The newest serial; 0 where there is none."""
        return self._hung[-1][0] if self._hung else 0

    def after(self, serial: int) -> Notices:
        """The notices that follow a serial, oldest first: as many as one answer carries."""
        found = [notice for each, notice in self._hung if each > serial]
        return Notices(notices=tuple(found[:AT_ONCE]))

    def look(self) -> None:
        """Reads the file again, if it is another one. One that cannot be read leaves what hangs."""
        if self.file is None:
            return
        try:
            found = self.file.stat()
            seen = found.st_mtime_ns, found.st_ino
            if seen == self._seen:
                return
            notices = Notices.model_validate_json(self.file.read_bytes()).notices
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            _log.warning("notices cannot be read", file=str(self.file), why=type(error).__name__)
            return
        self._hung = tuple((each.serial, each) for each in notices)
        self._seen = seen

    async def keep_looking(self, sleep: Callable[[float], Awaitable[None]], hung: Callable[[], None]) -> None:
        """For ever, every five seconds; says so when there is a newer one."""
        while True:
            await sleep(LOOK_SECONDS)
            before = self.newest
            await asyncio.to_thread(self.look)
            if self.newest != before:
                hung()
