"""A durable queue as an iterator of deliveries that goes on after each loss of the connection."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from libs.broker.rabbit import declare
from libs.broker.rabbit.connection import LOST
from libs.broker.topology import QueueName, Topology
from libs.wire.envelope import Envelope, parse

_log = structlog.get_logger(__name__)

Reply = Callable[[str, str, Envelope], Awaitable[None]]
"""Sends an answer: the reply queue, the correlation, the answer."""


class Consumer:
    """Reads `queue` for one iterator."""

    def __init__(self, topology: Topology, queue: QueueName, *, prefetch: int, reply: Reply) -> None:
        self.queue = queue
        self.reply = reply
        self._topology = topology
        self._prefetch = prefetch
        self._waiting: deque[RabbitDelivery] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def name(self) -> str:
        return self._topology.name(self.queue)

    @property
    def prefetch(self) -> int:
        return self._prefetch

    async def prepare(self, channel: AbstractChannel) -> AbstractQueue:
        return await declare.queue(channel, self._topology, self.queue)

    def ready(self) -> None:
        """Nothing to do: messages arrive by themselves."""

    def receive(self, message: AbstractIncomingMessage) -> None:
        self._waiting.append(RabbitDelivery(self, message))
        self._changed.set()

    def lost(self) -> None:
        # They come again, so who reads on must not see them twice at once.
        self._waiting.clear()

    def close(self) -> None:
        self._waiting.clear()
        self._closed = True
        self._changed.set()

    def __aiter__(self) -> "Consumer":
        return self

    async def __anext__(self) -> "RabbitDelivery":
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()


class RabbitDelivery:
    """One message on the channel that brought it."""

    def __init__(self, consumer: Consumer, message: AbstractIncomingMessage) -> None:
        self._consumer = consumer
        self._message = message
        self._decided = False

    @property
    def queue(self) -> QueueName:
        return self._consumer.queue

    @property
    def raw(self) -> bytes:
        return self._message.body

    @property
    def returned(self) -> int:
        count = self._message.headers.get("x-delivery-count", 0)
        return count if isinstance(count, int) else 0

    @property
    def wants_reply(self) -> bool:
        return bool(self._message.reply_to and self._message.correlation_id)

    def read(self) -> Envelope:
        return parse(self._message.body)

    async def ack(self) -> None:
        await self._decide(self._message.ack)

    async def requeue(self) -> None:
        await self._decide(lambda: self._message.nack(requeue=True))

    async def aside(self, reason: str) -> None:
        # The broker moves it: with a publish of ours and an acknowledgement it could be there twice, or lost.
        _log.warning("message put aside", queue=self.queue, reason=reason)
        await self._decide(lambda: self._message.reject(requeue=False))

    async def reply(self, answer: Envelope) -> None:
        if self._message.reply_to and self._message.correlation_id:
            await self._consumer.reply(self._message.reply_to, self._message.correlation_id, answer)

    async def _decide(self, act: Callable[[], Awaitable[None]]) -> None:
        if self._decided:
            return
        self._decided = True
        try:
            await act()
        except LOST as error:
            # The broker gives the message out again, to us or to another.
            _log.info("decision came too late", queue=self.queue, why=type(error).__name__)
