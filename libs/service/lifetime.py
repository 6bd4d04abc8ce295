"""A process is a group of parts that says why it stopped.

Each part runs until it is cancelled. When one ends or fails, the others are cancelled too: a process that lost a part
is not half well, and whoever started it starts it again. `run` gives the reason, logs it, and its exit status:

    asked        0   SIGTERM or SIGINT, or a caller's `stop`
    recoverable  75  a retryable error: starting again may be enough
    broken       70  a permanent error or one that nobody foresaw: somebody has to look

The numbers are those of sysexits.h (EX_TEMPFAIL, EX_SOFTWARE).
"""

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from libs.domain.errors import KeyturnError

_log = structlog.get_logger(__name__)


class Reason(StrEnum):
    """Why a process stopped."""

    ASKED = "asked"
    RECOVERABLE = "recoverable"
    BROKEN = "broken"


_STATUS = {Reason.ASKED: 0, Reason.RECOVERABLE: 75, Reason.BROKEN: 70}


@dataclass(frozen=True)
class Stopped:
    """The reason, and a sentence that names the part."""

    reason: Reason
    sentence: str

    @property
    def status(self) -> int:
        """The process's exit status."""
        return _STATUS[self.reason]


class _AskedError(Exception):
    """Somebody asked this process to stop."""


class _EndedError(Exception):
    """A part returned, though it should run until it is cancelled."""


class Lifetime:
    """The parts of one process, and the way to stop it."""

    def __init__(self) -> None:
        self._asked: asyncio.Event = asyncio.Event()
        self._why = "asked to stop"

    def stop(self, why: str) -> None:
        """Asks the process to stop; `why` is logged."""
        self._why = why
        self._asked.set()

    async def run(self, parts: Mapping[str, Coroutine[Any, Any, None]]) -> Stopped:
        """Runs the parts, by their names, until one ends or somebody asks; never raises what a part raised."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, f"asked by {number.name}")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._stopping())
                for name, part in parts.items():
                    group.create_task(_part(name, part), name=name)
        except* _PartError as failed:
            stopped = _worst(failed)
        except* _AskedError:
            stopped = Stopped(Reason.ASKED, self._why)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        report = _log.info if stopped.reason is Reason.ASKED else _log.error
        report("process stops", reason=stopped.reason, why=stopped.sentence)
        return stopped

    async def _stopping(self) -> None:
        await self._asked.wait()
        raise _AskedError


class _PartError(Exception):
    """A part failed or ended, and how bad that is."""

    def __init__(self, stopped: Stopped) -> None:
        super().__init__(stopped.sentence)
        self.stopped = stopped


async def _part(name: str, part: Coroutine[Any, Any, None]) -> None:
    try:
        await part
    except Exception as error:
        _log.exception("part failed", part=name)
        reason = Reason.RECOVERABLE if recoverable(error) else Reason.BROKEN
        raise _PartError(Stopped(reason, f"{name}: {sentence(error)}")) from error
    raise _PartError(Stopped(Reason.BROKEN, f"{name} ended by itself")) from _EndedError()


def recoverable(error: BaseException) -> bool:
    """Whether everything in `error` says of itself that it is retryable."""
    if isinstance(error, BaseExceptionGroup):
        return all(recoverable(each) for each in error.exceptions)
    return isinstance(error, KeyturnError) and error.retryable


def sentence(error: BaseException) -> str:
    """One line about an error, for a person."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(sentence(each) for each in error.exceptions)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _worst(failed: BaseExceptionGroup[_PartError]) -> Stopped:
    all_stopped = [error.stopped for error in failed.exceptions if isinstance(error, _PartError)]
    return next((each for each in all_stopped if each.reason is Reason.BROKEN), all_stopped[0])
