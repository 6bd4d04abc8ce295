"""When agents were last heard: in memory at each call, to the store in bulk."""

import contextlib
from collections.abc import Awaitable, Callable

from libs.domain.errors import KeyturnError
from libs.store.presence import Presences

FLUSH_SECONDS = 5.0


class Heard:
    """Collects and flushes. `clock` in Unix milliseconds."""

    def __init__(
        self, presences: Presences, clock: Callable[[], int], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._presences, self._clock, self._sleep = presences, clock, sleep
        self._since: dict[str, int] = {}

    def note(self, agent: str) -> None:
        """The agent was heard now."""
        self._since[agent] = self._clock()

    async def flush(self) -> None:
        """Writes what came since the last time; where the store is away it is kept for the next time."""
        taken, self._since = self._since, {}
        if not taken:
            return
        try:
            await self._presences.touch_many(taken)
        except KeyturnError as error:
            self._since = {**taken, **self._since}
            if not error.retryable:
                raise

    async def keep_flushing(self) -> None:
        """For ever, every five seconds, and once more at the end."""
        try:
            while True:
                await self._sleep(FLUSH_SECONDS)
                await self.flush()
        finally:
            with contextlib.suppress(KeyturnError):
                await self.flush()
