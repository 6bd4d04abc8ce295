"""Sessions that are over for all agents at once, by a newer notice or a restore: their polls are not held to the end.

A few polls end at a time, so that thousands of agents come back one after another and not in one second. Only what was
held when it was said ends: whoever opened a session since has a good one.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from services.api.mailroom import Mailroom, end

AT_ONCE = 20
PAUSE_SECONDS = 0.1
"""Between two lots: 200 agents a second, about what one gateway's core takes of sessions."""


class Recall:
    """One endless task, `run`; `all` says that it is time."""

    def __init__(self, mailroom: Mailroom, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._mailroom, self._sleep = mailroom, sleep
        self._due: deque[asyncio.Future[bool]] = deque()
        self._said = asyncio.Event()

    def all(self) -> None:
        """Every poll that is held now shall end."""
        self._due.extend(self._mailroom.held())
        self._said.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._said.wait()
            self._said.clear()
            while self._due:
                for _ in range(min(AT_ONCE, len(self._due))):
                    end(self._due.popleft())
                await self._sleep(PAUSE_SECONDS)
