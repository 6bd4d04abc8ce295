"""The twin in memory: one `MemoryNode` is the broker, and a `MemoryBroker` a connection with one service's rights."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from libs.broker.body import body
from libs.broker.errors import (
    BrokerAwayError,
    BrokerClosedError,
    BrokerDeniedError,
    CallTimeoutError,
    PublishTimeoutError,
)
from libs.broker.memory.consumer import MemoryConsumer, MemoryDelivery
from libs.broker.memory.faults import Effect, Faults
from libs.broker.memory.node import MemoryNode, Parcel
from libs.broker.ports import BrokerState, Gap, Link
from libs.broker.stream import NoticeStream
from libs.broker.topology import NOTICES, ExchangeName, QueueName, Service
from libs.wire.envelope import Envelope


class MemoryBroker:
    """A connection. `faults` is its plan of failures; `disconnect` and `reconnect` cut it alone."""

    def __init__(self, node: MemoryNode, service: Service) -> None:
        self.faults = Faults()
        self._node = node
        self._service = service
        self._rights = node.topology.rights(service)
        self._cut = False
        self._closed = False
        self._consumers: list[MemoryConsumer] = []
        self._streams: dict[NoticeStream, tuple[str, ...]] = {}
        self._calls: list[asyncio.Future[Envelope]] = []
        self._state = BrokerState(self._link(), node.now())
        node.join(self)

    @property
    def state(self) -> BrokerState:
        link = self._link()
        if link is not self._state.link:
            self._state = BrokerState(link, self._node.now())
        return self._state

    async def publish(self, envelope: Envelope, *, deadline_s: float) -> None:
        self._writes(ExchangeName.WORK)
        await self._send(envelope, Parcel(body(envelope)), deadline_s)

    async def notify(self, envelope: Envelope) -> None:
        if envelope.type not in NOTICES:
            raise BrokerDeniedError(f"{envelope.type} is no notice")
        self._writes(ExchangeName.NOTICES)
        if self.faults.next() is Effect.BEFORE or self._link() is not Link.UP:
            return
        self._node.spread(body(envelope), self.faults.fate(envelope))

    @asynccontextmanager
    async def consume(self, queue: QueueName, *, prefetch: int) -> AsyncIterator[AsyncIterator[MemoryDelivery]]:
        self._reads(queue)
        consumer = MemoryConsumer(
            self._node,
            self._node.line(queue),
            self.faults,
            prefetch=prefetch,
            up=lambda: self._link() in (Link.UP, Link.BLOCKED),
        )
        self._consumers.append(consumer)
        try:
            yield consumer
        finally:
            self._consumers.remove(consumer)
            consumer.close()

    @asynccontextmanager
    async def notices(self, patterns: Collection[str]) -> AsyncIterator[AsyncIterator[Envelope | Gap]]:
        self._reads(ExchangeName.NOTICES)
        stream = NoticeStream()
        self._streams[stream] = tuple(patterns)
        self._listen("connected")
        try:
            yield stream
        finally:
            del self._streams[stream]
            self._node.listeners.pop(stream, None)

    async def call(self, envelope: Envelope, *, timeout_s: float) -> Envelope:
        self._writes(ExchangeName.WORK)
        self._reads(ExchangeName.REPLIES)
        correlation = secrets.token_hex(16)
        answer: asyncio.Future[Envelope] = asyncio.get_running_loop().create_future()
        expires = self._node.now() + int(timeout_s * 1_000)
        self._node.callers[correlation] = answer
        self._calls.append(answer)
        try:
            async with asyncio.timeout(timeout_s):
                parcel = Parcel(body(envelope), correlation=correlation, expires=expires)
                await self._send(envelope, parcel, timeout_s)
                return await answer
        except (TimeoutError, PublishTimeoutError) as error:
            raise CallTimeoutError(f"no answer to {envelope.type} in {timeout_s:g} s") from error
        finally:
            del self._node.callers[correlation]
            self._calls.remove(answer)
            if not answer.cancel() and not answer.cancelled():
                answer.exception()  # An answer that nobody awaits any more is looked at, or the loop complains.

    async def close(self) -> None:
        self._closed = True
        for consumer in list(self._consumers):
            consumer.close()
        for stream in self._streams:
            stream.close()
        self._give_up_calls()
        self._node.bell.ring()

    def disconnect(self) -> None:
        """Cuts this connection alone, until `reconnect`."""
        self._cut = True
        self.lost()

    def reconnect(self) -> None:
        self._cut = False
        self.restored()

    def lost(self) -> None:
        for stream in self._streams:
            self._node.listeners.pop(stream, None)
        for consumer in self._consumers:
            consumer.lose()
        self._give_up_calls()

    def restored(self) -> None:
        self._listen("connected again")
        self._node.bell.ring()

    def _link(self) -> Link:
        if self._closed:
            return Link.CLOSED
        if self._cut or not self._node.up:
            return Link.AWAY
        return Link.BLOCKED if self._node.blocked else Link.UP

    def _listen(self, reason: str) -> None:
        """Binds each stream that is not bound yet."""
        if self._link() not in (Link.UP, Link.BLOCKED):
            return
        for stream, patterns in self._streams.items():
            if stream not in self._node.listeners:
                stream.gap(reason)
                self._node.listeners[stream] = patterns

    async def _send(self, envelope: Envelope, parcel: Parcel, deadline_s: float) -> None:
        if self._closed:
            raise BrokerClosedError("this connection is closed")
        effect = self.faults.next()
        if effect is Effect.BEFORE or self._link() is not Link.UP:
            raise BrokerAwayError(self.state.sentence)
        self._node.route(envelope, parcel, self.faults.fate(envelope))
        if self.faults.silent:
            await asyncio.sleep(deadline_s)
        if self.faults.silent or effect is Effect.AFTER:
            raise PublishTimeoutError(f"{envelope.type} was not confirmed in {deadline_s:g} s")

    def _give_up_calls(self) -> None:
        for answer in self._calls:
            if not answer.done():
                answer.set_exception(CallTimeoutError("the connection was lost before the answer came"))

    def _writes(self, exchange: ExchangeName) -> None:
        if not self._rights.writes(self._node.topology.name(exchange)):
            raise BrokerDeniedError(f"{self._service} may not write to {exchange}")

    def _reads(self, name: QueueName | ExchangeName) -> None:
        if not self._rights.reads(self._node.topology.name(name)):
            raise BrokerDeniedError(f"{self._service} may not read {name}")
