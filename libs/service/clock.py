"""Time as an argument: what now is, and waiting. Nothing below the edge asks the machine for either."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """The time of a process."""

    def now(self) -> int:
        """Unix milliseconds."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class RealClock:
    """The machine's time."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class FakeClock:
    """A test's time: it stands still until `advance`, and whoever sleeps wakes in the order of the moments he chose.

    Args:
        now: Unix milliseconds at the beginning.
    """

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self._now = now
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def sleeping(self) -> int:
        """How many sleep now."""
        return len(self._sleepers)

    def now(self) -> int:
        return self._now

    async def sleep(self, seconds: float) -> None:
        waking = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + max(0, round(seconds * 1_000)), waking))
        try:
            await waking
        finally:
            self._sleepers = [each for each in self._sleepers if each[1] is not waking]

    async def advance(self, seconds: float) -> None:
        """Lets so much time pass, wakes each sleeper at his moment, and lets the loop come to rest each time."""
        end = self._now + round(seconds * 1_000)
        await _rest()
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= end]:
            moment, waking = min(due, key=lambda sleeper: sleeper[0])
            self._sleepers.remove((moment, waking))
            self._now = max(self._now, moment)
            if not waking.done():
                waking.set_result(None)
            await _rest()
        self._now = end

    def skip(self, seconds: float) -> None:
        """The machine slept: so much time is gone, and whoever was due in it wakes at the next advance."""
        self._now += round(seconds * 1_000)

    def step(self, seconds: float) -> None:
        """Somebody sets the clock, forward or back: no time passes, and each sleeper sleeps for as long as before."""
        by = round(seconds * 1_000)
        self._now += by
        self._sleepers = [(moment + by, waking) for moment, waking in self._sleepers]


async def _rest() -> None:
    """Runs the loop until what could go on has gone on: a chain of this many steps in tasks and callbacks."""
    for _ in range(50):
        await asyncio.sleep(0)
