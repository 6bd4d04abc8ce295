"""Each event reaches its queue at least once and its outbox in the end holds nothing, whatever fails in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.broker.errors import BrokerClosedError
from libs.broker.memory import faults as broker_faults
from libs.broker.memory.broker import MemoryBroker
from libs.broker.topology import QueueName
from libs.broker.topology import Service as BrokerService
from libs.service.relay import GRACE_MS, PAGE, SWEEP_S
from libs.store.memory import faults as store_faults
from tests.unit.service.parts import REQUESTS, RESULTS, Parts

GRACE_S = GRACE_MS / 1_000


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    task = asyncio.create_task(parts.relay.run())
    await parts.clock.advance(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def test_a_nudge_sends_at_once_and_leaves_rev_alone() -> None:
    parts = Parts()
    async with running(parts):
        events = [parts.requested(), parts.requested()]
        key = await parts.write(*events)
        parts.relay.nudge(REQUESTS, key)
        await parts.clock.advance(0)
        assert parts.arrived() == [event.id for event in events]
        document = await parts.store.collection(REQUESTS).get(key)
        assert document is not None
        assert (document["outbox"], document["rev"]) == ([], 1)


async def test_the_sweep_finds_what_no_nudge_told() -> None:
    parts = Parts()
    async with running(parts):
        event = parts.requested()
        await parts.write(event)
        await parts.clock.advance(GRACE_S + SWEEP_S)
        assert parts.arrived() == [event.id]
        assert await parts.left() == []


async def test_the_sweep_leaves_what_was_written_a_moment_ago_to_the_nudge() -> None:
    parts = Parts()
    await parts.write(parts.requested())
    await parts.relay.sweep()
    assert parts.arrived() == []


@pytest.mark.parametrize("nudged", [True, False])
@pytest.mark.parametrize("effect", ["before", "after"])
@pytest.mark.parametrize("part", ["store", "broker"])
@pytest.mark.parametrize("n", range(1, 9))
async def test_whichever_call_fails_each_event_arrives_and_is_taken_away(
    n: int, part: str, effect: str, nudged: bool
) -> None:
    parts = Parts()
    events = [parts.requested(), parts.reported(), parts.requested()]
    key = await parts.write(*events[:2])
    await parts.write(events[2], name=RESULTS)
    if part == "store":
        parts.store.faults.fail_at(n, store_faults.Effect(effect))
    else:
        parts.broker.faults.fail_at(n, broker_faults.Effect(effect))
    async with running(parts):
        if nudged:
            parts.relay.nudge(REQUESTS, key)
        await parts.clock.advance(GRACE_S + 4 * SWEEP_S)
    assert set(parts.arrived()) == {events[0].id, events[2].id}
    assert set(parts.arrived(QueueName.REPORTS)) == {events[1].id}
    assert await parts.left() == await parts.left(RESULTS) == []


@pytest.mark.parametrize("n", range(1, 9))
async def test_a_process_that_dies_at_any_call_leaves_nothing_unsent(n: int) -> None:
    parts = Parts()
    events = [parts.requested(), parts.requested()]
    for event in events:
        await parts.write(event)
    # From the n-th call on nothing gets through, as for a process that is gone.
    for later in range(n, n + 50):
        parts.store.faults.fail_at(later)
    await parts.clock.advance(GRACE_S)
    await parts.relay.sweep()
    parts.store = parts.server.store(parts.store._service)
    parts.relay = parts.another_relay()
    await parts.relay.sweep()
    assert set(parts.arrived()) == {event.id for event in events}
    assert await parts.left() == []


async def test_a_lost_answer_of_the_broker_sends_twice_and_never_not_at_all() -> None:
    parts = Parts()
    event = parts.requested()
    await parts.write(event)
    parts.broker.faults.fail_at(1, broker_faults.Effect.AFTER)
    await parts.clock.advance(GRACE_S)
    await parts.relay.sweep()
    assert parts.arrived() == [event.id]
    assert await parts.left() == [event.id]
    await parts.relay.sweep()
    assert parts.arrived() == [event.id, event.id]
    assert await parts.left() == []


async def test_an_event_that_no_queue_takes_keeps_nobody() -> None:
    parts = Parts()
    lost = parts.requested().model_copy(update={"type": "task.unheard_of"})
    good = [parts.requested() for _ in range(3)]
    await parts.write(good[0], lost, good[1])
    await parts.write(good[2], name=RESULTS)
    await parts.clock.advance(GRACE_S)
    await parts.relay.sweep()
    assert set(parts.arrived()) == {event.id for event in good}
    assert await parts.left() == [lost.id]
    assert parts.number("keyturn_outbox_failures_total", error="UnroutableError") == 1
    assert parts.number("keyturn_outbox_waiting") == 1
    assert parts.number("keyturn_outbox_oldest_seconds") == GRACE_S


async def test_more_failing_events_than_a_page_holds_do_not_hide_the_one_behind_them() -> None:
    parts = Parts()
    for _ in range(PAGE + 5):
        await parts.write(parts.requested().model_copy(update={"type": "task.unheard_of"}))
        await parts.clock.advance(0.001)
    good = parts.requested()
    await parts.write(good)
    await parts.clock.advance(GRACE_S)
    await parts.relay.sweep()
    assert parts.arrived() == [good.id]


async def test_an_unreadable_entry_keeps_nobody() -> None:
    parts = Parts()
    key = await parts.write(parts.requested())
    now = parts.clock.now()
    broken = {"id": "evt_x", "at": now, "envelope": {"type": 7}}
    await parts.store.collection(REQUESTS).update(key, push={"outbox": [broken, {"id": "evt_y", "at": now}]})
    good = parts.requested()
    await parts.write(good)
    await parts.clock.advance(GRACE_S)
    await parts.relay.sweep()
    assert good.id in parts.arrived()


async def test_an_absent_broker_is_asked_once_a_sweep_and_then_gets_everything() -> None:
    parts = Parts()
    events = [parts.requested() for _ in range(40)]
    for event in events:
        await parts.write(event)
    parts.node.stop()
    async with running(parts):
        await parts.clock.advance(GRACE_S + 10 * SWEEP_S)
        assert len(await parts.left()) == len(events)
        assert parts.number("keyturn_outbox_oldest_seconds") >= 9 * SWEEP_S
        assert parts.number("keyturn_outbox_failures_total", error="BrokerAwayError") < 200
        parts.node.start()
        await parts.clock.advance(SWEEP_S)
    assert sorted(parts.arrived()) == sorted(event.id for event in events)
    assert parts.number("keyturn_outbox_oldest_seconds") == 0


async def test_an_absent_store_ends_no_relay() -> None:
    parts = Parts()
    event = parts.requested()
    key = await parts.write(event)
    parts.store.faults.away = True
    async with running(parts):
        parts.relay.nudge(REQUESTS, key)
        await parts.clock.advance(GRACE_S + 5 * SWEEP_S)
        assert parts.arrived() == []
        parts.store.faults.away = False
        await parts.clock.advance(SWEEP_S)
    assert parts.arrived() == [event.id]


async def test_a_nudge_and_the_sweep_at_once_send_once() -> None:
    parts = Parts()
    event = parts.requested()
    key = await parts.write(event)
    await parts.clock.advance(GRACE_S)
    async with running(parts):
        parts.relay.nudge(REQUESTS, key)
        await parts.clock.advance(2 * SWEEP_S)
    assert parts.arrived() == [event.id]


async def test_a_closed_broker_ends_the_relay() -> None:
    parts = Parts()
    await parts.write(parts.requested())
    await parts.clock.advance(GRACE_S)
    await parts.broker.close()
    with pytest.raises(BrokerClosedError):
        await parts.relay.sweep()


async def test_lost_doubled_and_reordered_messages_are_as_many_for_the_same_seed() -> None:
    def scene(seed: int) -> list[int]:
        parts = Parts()
        broker = MemoryBroker(parts.node, BrokerService.GATEWAY)
        broker.faults.fate = broker_faults.seeded(seed, drop=0.2, double=0.2, overtake=0.2)
        events = [parts.requested() for _ in range(50)]

        async def publish() -> None:
            for event in events:
                await broker.publish(event, deadline_s=1)

        publishing = publish()
        with pytest.raises(StopIteration):
            publishing.send(None)
        places = {event.id: place for place, event in enumerate(events)}
        return [places[arrived] for arrived in parts.arrived()]

    assert scene(1) == scene(1)
    assert scene(1) != scene(2)
    assert scene(1) != list(range(50))
