"""Reading one queue in memory: parcels in a consumer's hands, and the decisions about them."""

from collections.abc import Callable

import structlog

from libs.broker.body import body
from libs.broker.errors import BrokerAwayError
from libs.broker.memory.faults import Effect, Faults
from libs.broker.memory.node import Line, MemoryNode, Parcel
from libs.broker.topology import QueueName
from libs.wire.envelope import Envelope, parse

_log = structlog.get_logger(__name__)


class MemoryConsumer:
    """An iterator over the deliveries of one queue, for one connection."""

    def __init__(self, node: MemoryNode, line: Line, faults: Faults, *, prefetch: int, up: Callable[[], bool]) -> None:
        self.node = node
        self.line = line
        self.faults = faults
        self._prefetch = prefetch
        self._up = up
        self._held: list[MemoryDelivery] = []
        self._closed = False

    def __aiter__(self) -> "MemoryConsumer":
        return self

    async def __anext__(self) -> "MemoryDelivery":
        while not self._closed:
            if self._up() and len(self._held) < self._prefetch:
                parcel = self.line.take(self.node.now())
                if parcel is not None:
                    delivery = MemoryDelivery(self, parcel)
                    self._held.append(delivery)
                    return delivery
            await self.node.bell.wait()
        raise StopAsyncIteration

    def decide(self, delivery: "MemoryDelivery", act: Callable[[Parcel], None]) -> None:
        """Acts on a parcel that is still held. A planned failure loses the decision, and the parcel goes back."""
        if delivery not in self._held:
            return
        self._held.remove(delivery)
        if self.faults.next() is Effect.BEFORE:
            self.line.back(delivery.parcel)
        else:
            act(delivery.parcel)
        self.node.bell.ring()

    def lose(self) -> None:
        """Everything undecided goes back, in its order."""
        held, self._held = self._held, []
        for delivery in reversed(held):
            self.line.back(delivery.parcel)
        self.node.bell.ring()

    def close(self) -> None:
        self._closed = True
        self.lose()


class MemoryDelivery:
    """One parcel in a consumer's hands."""

    def __init__(self, consumer: MemoryConsumer, parcel: Parcel) -> None:
        self.parcel = parcel
        self._consumer = consumer

    @property
    def queue(self) -> QueueName:
        return self._consumer.line.queue.name

    @property
    def raw(self) -> bytes:
        return self.parcel.raw

    @property
    def returned(self) -> int:
        return self.parcel.returned

    @property
    def wants_reply(self) -> bool:
        return self.parcel.correlation is not None

    def read(self) -> Envelope:
        return parse(self.parcel.raw)

    async def ack(self) -> None:
        self._consumer.decide(self, lambda _: self._consumer.line.done())

    async def requeue(self) -> None:
        self._consumer.decide(self, self._consumer.line.back)

    async def aside(self, reason: str) -> None:
        _log.warning("message put aside", queue=self.queue, reason=reason)
        self._consumer.decide(self, self._consumer.line.aside)

    async def reply(self, answer: Envelope) -> None:
        if self.parcel.correlation is None:
            return
        effect = self._consumer.faults.next()
        if effect is Effect.BEFORE or not self._consumer.node.up:
            raise BrokerAwayError("the answer was not sent")
        self._consumer.node.answer(self.parcel.correlation, body(answer))
