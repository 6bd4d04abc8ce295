"""A process's connection to the broker: it takes time, it may fail, and whoever watches reads each message."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from libs.broker.errors import BrokerAwayError, CallTimeoutError, PublishTimeoutError
from libs.broker.memory.broker import MemoryBroker
from libs.broker.memory.consumer import MemoryDelivery
from libs.broker.memory.faults import Fate
from libs.broker.memory.node import MemoryNode, Parcel
from libs.broker.ports import BrokerState, Gap
from libs.broker.topology import QueueName
from libs.wire.envelope import Envelope
from tests.model.sim.process import Process
from tests.model.sim.trace import Trace
from tests.model.sim.weather import Weather


class WatchedNode(MemoryNode):
    """The broker, where `sent` reads each body, and `answered` each answer with the question that it answers."""

    def __init__(
        self, now: Callable[[], int], sent: Callable[[bytes], None], answered: Callable[[Envelope, Envelope], None]
    ) -> None:
        super().__init__(now)
        self._sent, self._answered = sent, answered
        self._asked: dict[str, Envelope] = {}

    def empty(self) -> None:
        """Every message that no consumer has in its hands is gone."""
        for line in self._lines.values():
            line.waiting.clear()

    def route(self, envelope: Envelope, parcel: Parcel, fate: Fate) -> None:
        self._sent(parcel.raw)
        if parcel.correlation is not None:
            self._asked[parcel.correlation] = envelope
        super().route(envelope, parcel, fate)

    def spread(self, raw: bytes, fate: Fate) -> None:
        self._sent(raw)
        super().spread(raw, fate)

    def answer(self, correlation: str, raw: bytes) -> None:
        self._sent(raw)
        asked = self._asked.get(correlation)
        if asked is not None:
            self._answered(asked, Envelope.model_validate_json(raw))
        super().answer(correlation, raw)


class SimBroker:
    """A connection. `inner.faults` plans its failures."""

    def __init__(self, inner: MemoryBroker, process: Process, weather: Weather, trace: Trace) -> None:
        self.inner = inner
        self._process, self._weather, self._trace = process, weather, trace
        inner.faults.fate = weather.fate
        process.on_kill(inner.disconnect)

    @property
    def state(self) -> BrokerState:
        return self.inner.state

    async def publish(self, envelope: Envelope, *, deadline_s: float) -> None:
        await self._there(f"publish {envelope.type}")
        try:
            await self.inner.publish(envelope, deadline_s=deadline_s)
        except (BrokerAwayError, PublishTimeoutError) as error:
            self._failed(error, envelope)
            raise
        await self._back(f"publish {envelope.type}")

    async def notify(self, envelope: Envelope) -> None:
        await self._there(f"notify {envelope.type}")
        await self.inner.notify(envelope)

    async def call(self, envelope: Envelope, *, timeout_s: float) -> Envelope:
        await self._there(f"call {envelope.type}")
        try:
            answer = await self.inner.call(envelope, timeout_s=timeout_s)
        except (BrokerAwayError, CallTimeoutError) as error:
            self._failed(error, envelope)
            raise
        await self._back(f"call {envelope.type}")
        return answer

    @asynccontextmanager
    async def consume(self, queue: QueueName, *, prefetch: int) -> AsyncIterator[AsyncIterator["SimDelivery"]]:
        async with self.inner.consume(queue, prefetch=prefetch) as deliveries:
            yield SimDeliveries(deliveries, self._process, self._weather)

    def notices(self, patterns: Collection[str]) -> AbstractAsyncContextManager[AsyncIterator[Envelope | Gap]]:
        return self.inner.notices(patterns)

    async def close(self) -> None:
        await self.inner.close()

    def _failed(self, error: Exception, envelope: Envelope) -> None:
        if self.inner.state.ready:
            kind = "before" if isinstance(error, BrokerAwayError) else "after"
            self._trace.fault(f"broker_call_{kind}", f"{self._process.name} {envelope.type}")

    async def _there(self, what: str) -> None:
        await asyncio.sleep(self._weather.delay())
        await self._process.operation(f"before {what}")

    async def _back(self, what: str) -> None:
        await self._process.operation(f"after {what}")


class SimDeliveries:
    """What a queue gives to one process."""

    def __init__(self, inner: AsyncIterator[MemoryDelivery], process: Process, weather: Weather) -> None:
        self._inner, self._process, self._weather = inner, process, weather

    def __aiter__(self) -> "SimDeliveries":
        return self

    async def __anext__(self) -> "SimDelivery":
        return SimDelivery(await anext(self._inner), self._process, self._weather)


class SimDelivery:
    """One message in a process's hands; its decision takes time and may come too late."""

    def __init__(self, inner: MemoryDelivery, process: Process, weather: Weather) -> None:
        self._inner, self._process, self._weather = inner, process, weather

    @property
    def queue(self) -> QueueName:
        return self._inner.queue

    @property
    def raw(self) -> bytes:
        return self._inner.raw

    @property
    def returned(self) -> int:
        return self._inner.returned

    @property
    def wants_reply(self) -> bool:
        return self._inner.wants_reply

    def read(self) -> Envelope:
        return self._inner.read()

    async def ack(self) -> None:
        await self._way("ack")
        await self._inner.ack()

    async def requeue(self) -> None:
        await self._way("requeue")
        await self._inner.requeue()

    async def aside(self, reason: str) -> None:
        await self._way("aside")
        await self._inner.aside(reason)

    async def reply(self, answer: Envelope) -> None:
        await self._way("reply")
        await self._inner.reply(answer)

    async def _way(self, what: str) -> None:
        await asyncio.sleep(self._weather.delay())
        await self._process.operation(f"before {what}")
