"""Streams of changes, each filtered by what its person may see.

A stream carries identifiers and revisions; what changed is read by the routes that check rights. Each has a bounded
queue: a reader that is slower than the changes is told to read again, and misses nothing by it. A stream ends when its
session does, which is looked at with each heartbeat.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from libs.wire.encoding import canonical
from libs.wire.events import AccountChanged, ResourceChanged, TaskChanged
from services.api.access import Caller
from services.api.errors import SlowDownError

Change = TaskChanged | AccountChanged | ResourceChanged

HEARTBEAT_SECONDS = 15.0
_QUEUED = 256
_STREAMS_EACH = 8
_HEARTBEAT = b": still here\n\n"
_AGAIN = b"event: again\ndata: {}\n\n"


@dataclass
class _Stream:
    caller: Caller
    queue: "asyncio.Queue[Change | None]" = field(default_factory=lambda: asyncio.Queue(_QUEUED))
    again: bool = True

    def put(self, change: Change | None) -> None:
        try:
            self.queue.put_nowait(change)
        except asyncio.QueueFull:
            self.again = True


class Events:
    """The open streams.

    Args:
        may_see: Whether a person may see a resource, by its identifier, or one account of it.
        again: The person as they are now; None once their session is over.
    """

    def __init__(
        self,
        may_see: Callable[[Caller, str, str | None], Awaitable[bool]],
        again: Callable[[Caller], Awaitable[Caller | None]],
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._may_see, self._again, self._heartbeat = may_see, again, heartbeat_seconds
        self._streams: list[_Stream] = []
        self._closed = False

    @property
    def open(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def tell(self, change: Change) -> None:
        """A change, for every stream whose person may see it."""
        for stream in self._streams:
            stream.put(change)

    def read_again(self) -> None:
        """Changes may have been missed: everybody reads again."""
        for stream in self._streams:
            stream.again = True
            stream.put(None)

    def close(self) -> None:
        """Ends every stream."""
        self._closed = True
        for stream in self._streams:
            stream.put(None)

    def stream(self, caller: Caller) -> AsyncIterator[bytes]:
        """The bytes of one stream, beginning with `again`.

        Raises:
            SlowDownError: this person has eight open already.
        """
        if sum(each.caller.id == caller.id for each in self._streams) >= _STREAMS_EACH:
            raise SlowDownError(5)
        return self._bytes(caller)

    async def _bytes(self, caller: Caller) -> AsyncIterator[bytes]:
        stream = _Stream(caller)
        self._streams.append(stream)
        clock = asyncio.get_running_loop().time
        due = clock() + self._heartbeat
        try:
            while not self._closed:
                if stream.again:
                    stream.again = False
                    yield _AGAIN
                change: Change | None = None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(due):
                        change = await stream.queue.get()
                if change is not None and await self._shown(caller, change):
                    yield _text(change)
                if clock() >= due:
                    now = await self._again(caller)
                    if now is None:
                        return
                    caller = now
                    yield _HEARTBEAT
                    due = clock() + self._heartbeat
        finally:
            self._streams.remove(stream)

    async def _shown(self, caller: Caller, change: Change) -> bool:
        if caller.sees_all:
            return True
        if isinstance(change, TaskChanged):
            return change.requester == caller.id
        return await self._may_see(
            caller, change.resource, change.account if isinstance(change, AccountChanged) else None
        )


def _text(change: Change) -> bytes:
    match change:
        case TaskChanged():
            noun, name = "task", change.task
        case AccountChanged():
            noun, name = "account", change.account
        case ResourceChanged():
            noun, name = "resource", change.resource
    return b"event: " + noun.encode() + b"\ndata: " + canonical({"id": name, "rev": change.rev}) + b"\n\n"
