"""The receiving end of notices: bounded, and honest about what it lost."""

import asyncio
from collections import deque

from libs.broker.ports import Gap
from libs.wire.envelope import Envelope

LENGTH = 1_000


class NoticeStream:
    """Notices in their order, read by one reader. What does not fit becomes one `Gap` in place of all that waits."""

    def __init__(self, length: int = LENGTH) -> None:
        self._length = length
        self._items: deque[Envelope | Gap] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, notice: Envelope) -> None:
        if len(self._items) >= self._length:
            # The reader reads the documents again at the gap, so what waits before it says nothing new.
            self._items.clear()
            self._items.append(Gap("more notices than were read"))
        self._items.append(notice)
        self._changed.set()

    def gap(self, reason: str) -> None:
        self._items.append(Gap(reason))
        self._changed.set()

    def close(self) -> None:
        """What was put is still read; then the stream ends."""
        self._closed = True
        self._changed.set()

    def __aiter__(self) -> "NoticeStream":
        return self

    async def __anext__(self) -> Envelope | Gap:
        while not self._items:
            if self._closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()
