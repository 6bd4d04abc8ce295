"""The private queues of one process: answers to its calls, and notices. Exclusive, bounded, gone with the connection.

Each connection gets queues of new names, because a broker that has not yet noticed a loss still holds the old ones.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from libs.broker.errors import CallTimeoutError
from libs.broker.stream import NoticeStream
from libs.broker.topology import PRIVATE_LENGTH, ExchangeName, Service, Topology
from libs.wire.envelope import Envelope, UnreadableError, parse

_log = structlog.get_logger(__name__)


async def _private_queue(channel: AbstractChannel, name: str) -> AbstractQueue:
    return await channel.declare_queue(
        name,
        exclusive=True,
        auto_delete=True,
        arguments={"x-queue-type": "classic", "x-max-length": PRIVATE_LENGTH, "x-overflow": "drop-head"},
    )


class Answers:
    """The answers to this process's calls."""

    prefetch = None

    def __init__(self, topology: Topology, service: Service) -> None:
        self._topology = topology
        self._plain = f"{service}.replies"
        self._address: str | None = None
        self._arriving = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[Envelope]] = {}

    @property
    def name(self) -> str:
        return self._topology.name(self._plain)

    async def prepare(self, channel: AbstractChannel) -> AbstractQueue:
        name = f"{self.name}.{secrets.token_hex(8)}"
        queue = await _private_queue(channel, name)
        await queue.bind(self._topology.name(ExchangeName.REPLIES), name)
        self._address = name
        return queue

    def ready(self) -> None:
        self._arriving.set()

    def receive(self, message: AbstractIncomingMessage) -> None:
        waiting = self._waiting.get(message.correlation_id or "")
        if waiting is None or waiting.done():
            return
        try:
            waiting.set_result(parse(message.body))
        except UnreadableError as error:
            _log.warning("unreadable answer", why=str(error))

    def lost(self) -> None:
        self._arriving.clear()
        self._address = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(CallTimeoutError("the connection was lost before the answer came"))

    async def address(self) -> str:
        """Where answers arrive, as soon as they do."""
        while self._address is None or not self._arriving.is_set():
            await self._arriving.wait()
        return self._address

    def expect(self, correlation: str) -> "asyncio.Future[Envelope]":
        waiting: asyncio.Future[Envelope] = asyncio.get_running_loop().create_future()
        self._waiting[correlation] = waiting
        return waiting

    def forget(self, correlation: str) -> None:
        waiting = self._waiting.pop(correlation)
        if not waiting.cancel() and not waiting.cancelled():
            waiting.exception()  # An answer that nobody awaits any more is looked at, or the loop complains.


class Notices:
    """Notices by pattern, into a stream."""

    prefetch = None

    def __init__(
        self,
        topology: Topology,
        service: Service,
        patterns: Collection[str],
        stream: NoticeStream,
        unreadable: Callable[[], None] = lambda: None,
    ) -> None:
        self._topology = topology
        self._plain = f"{service}.notices"
        self._patterns = patterns
        self._stream = stream
        self._unreadable = unreadable

    @property
    def name(self) -> str:
        return self._topology.name(self._plain)

    async def prepare(self, channel: AbstractChannel) -> AbstractQueue:
        queue = await _private_queue(channel, f"{self.name}.{secrets.token_hex(8)}")
        for pattern in self._patterns:
            await queue.bind(self._topology.name(ExchangeName.NOTICES), pattern)
        # Said once the queue is bound and before the first message can come: from here on nothing is missed.
        self._stream.gap("connected")
        return queue

    def ready(self) -> None:
        """Nothing to do: the gap was said when the queue was bound."""

    def receive(self, message: AbstractIncomingMessage) -> None:
        try:
            self._stream.put(parse(message.body))
        except UnreadableError as error:
            _log.warning("unreadable notice", why=str(error))
            self._unreadable()

    def lost(self) -> None:
        """Nothing to do: the next connection says the gap."""
