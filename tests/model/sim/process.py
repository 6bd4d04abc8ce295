"""A process of the simulation: coroutines that live together, and all end where they stand when it is killed.

A kill cuts the process off from store, broker and network first, and only then ends its coroutines: what they do on
their way out reaches nobody, as after kill -9.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tests.model.sim.chance import Chance
from tests.model.sim.trace import Trace


class Process:
    """One life of a process. `ended` is called once, when it is over, with the reason."""

    def __init__(self, name: str, trace: Trace, chance: Chance, ended: Callable[["Process", str], None]) -> None:
        self.name, self.alive = name, True
        self.operations = 0
        """What it did with the world outside so far."""
        self._trace, self._chance, self._ended = trace, chance, ended
        self._parts: dict[asyncio.Task[Any], None] = {}
        self._severs: list[Callable[[], None]] = []
        self._dies_at: int | None = None
        self._dies_at_next: str | None = None

    def on_kill(self, sever: Callable[[], None]) -> None:
        """`sever` cuts one of its connections when it is killed."""
        self._severs.append(sever)

    def spawn(self, part: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Runs a coroutine as a part of this process."""
        task = asyncio.get_running_loop().create_task(part)
        self._parts[task] = None
        task.add_done_callback(self._forget)
        return task

    def lives_by(self, part: Coroutine[Any, Any, Any]) -> None:
        """Runs its main part: when that ends, the process has ended."""
        self.spawn(part).add_done_callback(self._over)

    def kill(self, why: str = "killed") -> None:
        """Ends it here."""
        if not self.alive:
            return
        self.alive = False
        self._trace.say(self.name, why)
        for sever in self._severs:
            sever()
        for task in list(self._parts):
            task.cancel()
        self._ended(self, why)

    def dies_in(self, operations: int) -> None:
        """Plans a kill just before or just after one of its next operations."""
        self._dies_at = self.operations + operations

    def dies_at(self, what: str) -> None:
        """Plans a kill at the next of its operations of this kind."""
        self._dies_at_next = what

    def spared(self) -> None:
        """No kill is planned any more."""
        self._dies_at, self._dies_at_next = None, None

    async def operation(self, what: str) -> None:
        """Passed before and after each thing that the process does with the world outside."""
        self.operations += 1
        due = self._dies_at is not None and self.operations >= self._dies_at
        if due or what == self._dies_at_next:
            self._trace.fault("kill_at_operation", f"{self.name} at {what}")
            asyncio.get_running_loop().call_soon(self.kill)
            await asyncio.get_running_loop().create_future()

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._parts.pop(task, None)

    def _over(self, task: "asyncio.Task[Any]") -> None:
        if task.cancelled() or not self.alive:
            if not task.cancelled():
                task.exception()  # looked at, or the loop complains
            return
        error = task.exception()
        self.kill("ended by itself" if error is None else f"ended: {leaf(error)}")
        if error is None or not foreseen(error):
            self._trace.violated(f"{self.name} ended by what nobody foresaw: {leaf(error)!r}")


def leaf(error: BaseException | None) -> BaseException | None:
    """The first error inside a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def foreseen(error: BaseException) -> bool:
    """Whether whoever started the process may just start it again."""
    if isinstance(error, BaseExceptionGroup):
        return all(foreseen(each) for each in error.exceptions)
    return bool(getattr(error, "retryable", False)) or type(error).__name__ == "JournalUnwritableError"
