"""The broker itself, in memory: what its connections share, and what outlives a restart of it."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from libs.broker.errors import BrokerFullError, UnroutableError
from libs.broker.memory.faults import Fate
from libs.broker.memory.topics import matches
from libs.broker.stream import NoticeStream
from libs.broker.topology import DELIVERY_LIMIT, QUEUES, Queue, QueueName, Topology, queue_for
from libs.wire.envelope import Envelope, parse


class Connection(Protocol):
    """What a node does to a connection of its own accord."""

    def lost(self) -> None: ...
    def restored(self) -> None: ...


@dataclass(frozen=True)
class Parcel:
    """A message in a queue. `expires` is in Unix milliseconds; `correlation` names the caller who waits."""

    raw: bytes
    returned: int = 0
    correlation: str | None = None
    expires: int | None = None


class Bell:
    """Wakes everybody who waits for a change."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    def ring(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)


class Line:
    """One queue: parcels that wait, and how many are in a consumer's hands."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.waiting: deque[Parcel] = deque()
        self.asides: list[bytes] = []
        self.held = 0

    def put(self, parcel: Parcel, fate: Fate = Fate.DELIVER) -> None:
        """Raises BrokerFullError when the queue has its length."""
        if len(self.waiting) + self.held >= self.queue.length:
            raise BrokerFullError(f"{self.queue.name} is full")
        if fate is Fate.OVERTAKE:
            self.waiting.appendleft(parcel)
        elif fate is not Fate.DROP:
            self.waiting.extend([parcel] * (2 if fate is Fate.DOUBLE else 1))

    def take(self, now: int) -> Parcel | None:
        while self.waiting:
            parcel = self.waiting.popleft()
            if parcel.expires is None or now < parcel.expires:
                self.held += 1
                return parcel
        return None

    def done(self) -> None:
        self.held -= 1

    def back(self, parcel: Parcel) -> None:
        self.held -= 1
        if parcel.returned >= DELIVERY_LIMIT:
            self._aside(parcel)
        else:
            self.waiting.appendleft(replace(parcel, returned=parcel.returned + 1))

    def aside(self, parcel: Parcel) -> None:
        self.held -= 1
        self._aside(parcel)

    def _aside(self, parcel: Parcel) -> None:
        if self.queue.aside is not None:
            self.asides.append(parcel.raw)


class MemoryNode:
    """One broker, which any number of `MemoryBroker` connect to.

    Args:
        now: Unix milliseconds.
        topology: The names, for the check of rights.
    """

    def __init__(self, now: Callable[[], int], topology: Topology | None = None) -> None:
        self.now = now
        self.topology = topology or Topology()
        self.bell = Bell()
        self.listeners: dict[NoticeStream, tuple[str, ...]] = {}
        self.callers: dict[str, asyncio.Future[Envelope]] = {}
        self.blocked = False
        self._up = True
        self._lines = {queue.name: Line(queue) for queue in QUEUES}
        self._connections: list[Connection] = []

    @property
    def up(self) -> bool:
        return self._up

    def join(self, connection: Connection) -> None:
        """From now on this connection hears of stops and starts."""
        self._connections.append(connection)

    def line(self, name: QueueName) -> Line:
        return self._lines[name]

    def stop(self) -> None:
        """Ends the node as a crash would. Work stays; what undecided consumers held goes back; callers are told."""
        self._up = False
        for connection in self._connections:
            connection.lost()
        self.bell.ring()

    def start(self) -> None:
        self._up = True
        for connection in self._connections:
            connection.restored()
        self.bell.ring()

    def restart(self) -> None:
        self.stop()
        self.start()

    def route(self, envelope: Envelope, parcel: Parcel, fate: Fate) -> None:
        """Raises UnroutableError or BrokerFullError."""
        queue = queue_for(envelope.type)
        if queue is None:
            raise UnroutableError(f"no queue takes {envelope.type}")
        self._lines[queue.name].put(parcel, fate)
        self.bell.ring()

    def put_raw(self, name: QueueName, raw: bytes) -> None:
        """A message as a stranger would send it."""
        self._lines[name].put(Parcel(raw))
        self.bell.ring()

    def spread(self, raw: bytes, fate: Fate) -> None:
        """Gives a notice to each listener."""
        notice = parse(raw)
        for stream, patterns in self.listeners.items():
            if any(matches(pattern, notice.type) for pattern in patterns):
                for _ in range({Fate.DROP: 0, Fate.DOUBLE: 2}.get(fate, 1)):
                    stream.put(notice)

    def answer(self, correlation: str, raw: bytes) -> None:
        waiting = self.callers.get(correlation)
        if waiting is not None and not waiting.done():
            waiting.set_result(parse(raw))

    def waiting(self, name: QueueName) -> int:
        """How many messages are in the queue, those in a consumer's hands included."""
        line = self._lines[name]
        return len(line.waiting) + line.held

    def asides(self, name: QueueName) -> list[bytes]:
        """The bodies that were put aside from this queue, in their order."""
        return list(self._lines[name].asides)
