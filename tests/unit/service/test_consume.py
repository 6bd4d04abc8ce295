"""Each message is decided alone, and an outage eats nobody's delivery limit."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from libs.broker.backoff import Backoff
from libs.broker.errors import BrokerAwayError, CallTimeoutError
from libs.broker.memory.faults import Effect
from libs.broker.topology import DELIVERY_LIMIT, QueueName
from libs.domain.errors import KeyturnError
from libs.service.consume import Consumers
from libs.store.errors import StoreAwayError
from libs.wire.envelope import Envelope, UnreadableError
from libs.wire.events import Answered, RevealAsked
from libs.wire.sign import Signed
from tests.unit.service.parts import Parts

QUEUE = QueueName.REQUESTS


class Scene(Parts):
    """The scheduler's consumers."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.consumers = Consumers(
            self.scheduler, self.clock, self.metrics, prefetch=4, backoff=lambda: Backoff(chance=lambda: 1.0)
        )
        self.done: list[str] = []

    async def act(self, envelope: Envelope) -> None:
        self.done.append(envelope.id)

    async def send(self, *events: Envelope) -> None:
        for event in events:
            await self.broker.publish(event, deadline_s=1)

    def decided(self, decision: str, queue: QueueName = QUEUE) -> float:
        return self.number("keyturn_messages_decided_total", queue=queue, decision=decision)

    @asynccontextmanager
    async def running(self, part: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        task = asyncio.create_task(part)
        await self.clock.advance(0)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()


async def test_what_is_done_is_acknowledged() -> None:
    scene = Scene()
    events = [scene.requested() for _ in range(10)]
    await scene.send(*events)
    async with scene.running(scene.consumers.work(QUEUE, scene.act)):
        pass
    assert scene.done == [event.id for event in events]
    assert scene.node.waiting(QUEUE) == 0
    assert scene.decided("done") == 10


async def test_an_outage_longer_than_the_delivery_limit_costs_no_message() -> None:
    scene = Scene()
    event = scene.requested()
    await scene.send(event)
    away = True
    tries = 0

    async def act(envelope: Envelope) -> None:
        nonlocal tries
        tries += 1
        if away:
            raise StoreAwayError("the store does not answer")
        await scene.act(envelope)

    async with scene.running(scene.consumers.work(QUEUE, act)):
        await scene.clock.advance(600)
        assert tries > 3 * DELIVERY_LIMIT
        assert tries < 200
        assert scene.node.waiting(QUEUE) == 1
        away = False
        await scene.clock.advance(10)
    assert scene.done == [event.id]
    assert scene.node.asides(QUEUE) == []
    assert scene.node.waiting(QUEUE) == 0


@pytest.mark.parametrize("error", [KeyturnError("no"), ValueError("a bug"), UnreadableError("version 9")])
async def test_a_message_that_cannot_be_done_goes_aside_at_once_and_alone(error: Exception) -> None:
    scene = Scene()
    before, bad, after = (scene.requested() for _ in range(3))
    await scene.send(before, bad, after)

    async def act(envelope: Envelope) -> None:
        if envelope.id == bad.id:
            raise error
        await scene.act(envelope)

    async with scene.running(scene.consumers.work(QUEUE, act)):
        pass
    assert scene.done == [before.id, after.id]
    assert scene.node.asides(QUEUE) == [bad.to_bytes()]
    assert (scene.decided("done"), scene.decided("aside")) == (2, 1)


async def test_an_unparsable_body_goes_aside_at_the_first_try() -> None:
    scene = Scene()
    event = scene.requested()
    scene.node.put_raw(QUEUE, b"\xff")
    scene.node.put_raw(QUEUE, b'{"type": "task.requested"}')
    await scene.send(event)
    async with scene.running(scene.consumers.work(QUEUE, scene.act)):
        pass
    assert scene.node.asides(QUEUE) == [b"\xff", b'{"type": "task.requested"}']
    assert scene.done == [event.id]


async def test_one_that_waits_does_not_keep_the_others() -> None:
    scene = Scene()
    stuck = scene.requested()
    events = [scene.requested() for _ in range(10)]
    await scene.send(stuck, *events)

    async def act(envelope: Envelope) -> None:
        if envelope.id == stuck.id:
            raise StoreAwayError("the store does not answer")
        await scene.act(envelope)

    async with scene.running(scene.consumers.work(QUEUE, act)):
        assert scene.done == [event.id for event in events]
        assert scene.number("keyturn_messages_held", queue=QUEUE) == 1


async def test_reconnects_during_an_outage_pile_up_nothing() -> None:
    scene = Scene()
    await scene.send(*(scene.requested() for _ in range(10)))
    at_once = 0

    async def act(_: Envelope) -> None:
        nonlocal at_once
        at_once += 1
        try:
            await scene.clock.sleep(1_000)
        finally:
            at_once -= 1

    async with scene.running(scene.consumers.work(QUEUE, act)):
        for _ in range(5):
            scene.node.restart()
            await scene.clock.advance(1)
        assert at_once == 4


async def test_a_lost_acknowledgement_does_the_message_again() -> None:
    scene = Scene()
    event = scene.requested()
    await scene.send(event)
    scene.scheduler.faults.fail_at(1, Effect.BEFORE)
    async with scene.running(scene.consumers.work(QUEUE, scene.act)):
        pass
    assert scene.done == [event.id, event.id]
    assert scene.node.waiting(QUEUE) == 0


async def test_a_stopped_consumer_gives_its_messages_back() -> None:
    scene = Scene()
    await scene.send(scene.requested())

    async def act(_: Envelope) -> None:
        await scene.clock.sleep(1_000)

    async with scene.running(scene.consumers.work(QUEUE, act)):
        assert scene.number("keyturn_messages_held", queue=QUEUE) == 1
    assert len(scene.arrived()) == 1


def question(scene: Scene) -> Envelope:
    signed = Signed(payload=b"", key="sha256:" + 64 * "0", signature=b"")
    return RevealAsked(signed=signed).envelope(scene.clock.now())


async def test_a_request_is_answered() -> None:
    scene = Scene()

    async def answer(envelope: Envelope) -> Envelope:
        return Answered(answer={"to": envelope.id}).envelope(scene.clock.now())

    async with scene.running(scene.consumers.requests(QueueName.REVEALS, answer)):
        asked = question(scene)
        answered = await scene.broker.call(asked, timeout_s=5)
    assert answered.body["answer"] == {"to": asked.id}
    assert scene.decided("done", QueueName.REVEALS) == 1


@pytest.mark.parametrize("error", [StoreAwayError("away"), KeyturnError("no"), ValueError("a bug")])
async def test_a_request_that_fails_is_tried_once_and_kept_nowhere(error: Exception) -> None:
    scene = Scene()
    tries = 0

    async def answer(_: Envelope) -> Envelope:
        nonlocal tries
        tries += 1
        raise error

    async with scene.running(scene.consumers.requests(QueueName.REVEALS, answer)):
        with pytest.raises(CallTimeoutError):
            await scene.broker.call(question(scene), timeout_s=0.05)
    assert tries == 1
    assert scene.node.waiting(QueueName.REVEALS) == 0
    assert scene.node.asides(QueueName.REVEALS) == []


async def test_an_answer_that_cannot_be_sent_ends_its_request() -> None:
    scene = Scene()
    scene.scheduler.faults.fail_at(1, Effect.BEFORE)

    async def answer(_: Envelope) -> Envelope:
        return Answered(answer={}).envelope(scene.clock.now())

    async with scene.running(scene.consumers.requests(QueueName.REVEALS, answer)):
        with pytest.raises(CallTimeoutError):
            await scene.broker.call(question(scene), timeout_s=0.05)
    assert scene.node.waiting(QueueName.REVEALS) == 0


async def test_a_closed_connection_ends_the_part() -> None:
    scene = Scene()
    part = asyncio.create_task(scene.consumers.work(QUEUE, scene.act))
    await scene.clock.advance(0)
    await scene.scheduler.close()
    await part


def test_a_broker_that_is_away_is_retryable() -> None:
    assert BrokerAwayError("away").retryable
