"""The event loop of a simulation: its time jumps to the next timer when nothing can run, and nothing runs beside it.

What can run runs in the order in which it became able to; timers ring in the order of their moments. No thread, no
socket and no signal takes part, so the same coroutines with the same chance do the same again.
"""

import asyncio
from collections.abc import Callable
from typing import Any


class NothingToWaitForError(RuntimeError):
    """Nothing can run, and no timer will ever ring: everybody waits for somebody else."""


class _Jump:
    """What stands where a loop waits for sockets: it moves the time on instead."""

    def __init__(self, loop: "SimLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise NothingToWaitForError("a deadlock: nothing can run any more")
        if timeout > 0:
            self._loop.now += timeout
        return []


class SimLoop(asyncio.base_events.BaseEventLoop):
    """The loop. `now` in seconds since its beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._selector = _Jump(self)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        """Runs `func` at once: what a thread does beside the loop has no moment of its own."""
        del executor
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits the future
            done.set_exception(error)
        return done

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread, so nobody has to wake this one."""
