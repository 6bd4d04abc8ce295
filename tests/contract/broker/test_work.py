"""Work: at least once, in one consumer's hands, each message decided alone."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.broker.errors import (
    BrokerAwayError,
    BrokerClosedError,
    BrokerDeniedError,
    MessageTooLargeError,
    UnroutableError,
)
from libs.broker.ports import Delivery, Link
from libs.broker.topology import DELIVERY_LIMIT, QueueName, Service
from libs.wire.envelope import MAX_BYTES
from tests.contract.broker.messages import reported, requested
from tests.contract.broker.rig import PATIENCE_S, Rig, until

QUEUE = QueueName.REQUESTS
DEADLINE_S = 10.0


async def following(deliveries: AsyncIterator[Delivery]) -> Delivery:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(deliveries)


async def nothing_follows(deliveries: AsyncIterator[Delivery]) -> bool:
    try:
        async with asyncio.timeout(0.3):
            await anext(deliveries)
    except TimeoutError:
        return True
    return False


async def test_work_arrives_in_order_in_the_queue_of_its_type(rig: Rig) -> None:
    sent = [requested() for _ in range(5)]
    async with rig.connect(Service.GATEWAY) as gateway, rig.connect(Service.SCHEDULER) as scheduler:
        await gateway.publish(reported(), deadline_s=DEADLINE_S)
        for envelope in sent:
            await gateway.publish(envelope, deadline_s=DEADLINE_S)
        async with scheduler.consume(QUEUE, prefetch=10) as deliveries:
            for envelope in sent:
                delivery = await following(deliveries)
                assert delivery.read() == envelope
                assert (delivery.queue, delivery.returned, delivery.wants_reply) == (QUEUE, 0, False)
                await delivery.ack()
            assert await nothing_follows(deliveries)


async def test_what_was_acknowledged_does_not_come_again(rig: Rig) -> None:
    async with rig.connect(Service.SCHEDULER) as scheduler:
        await scheduler.publish(requested(), deadline_s=DEADLINE_S)
        async with scheduler.consume(QUEUE, prefetch=1) as deliveries:
            await (await following(deliveries)).ack()
        async with scheduler.consume(QUEUE, prefetch=1) as deliveries:
            assert await nothing_follows(deliveries)


async def test_a_type_that_no_queue_takes_is_refused_and_the_next_publish_works(rig: Rig) -> None:
    async with rig.connect(Service.GATEWAY) as gateway:
        with pytest.raises(UnroutableError) as caught:
            await gateway.publish(requested().model_copy(update={"type": "task.unheard_of"}), deadline_s=DEADLINE_S)
        assert caught.value.retryable
        await gateway.publish(requested(), deadline_s=DEADLINE_S)


async def test_an_envelope_that_no_reader_takes_is_not_sent(rig: Rig) -> None:
    async with rig.connect(Service.GATEWAY) as gateway:
        with pytest.raises(MessageTooLargeError):
            await gateway.publish(
                requested().model_copy(update={"body": {"a": "b" * MAX_BYTES}}), deadline_s=DEADLINE_S
            )


async def test_no_more_than_prefetch_are_undecided(rig: Rig) -> None:
    async with rig.connect(Service.SCHEDULER) as scheduler:
        for _ in range(3):
            await scheduler.publish(requested(), deadline_s=DEADLINE_S)
        async with scheduler.consume(QUEUE, prefetch=2) as deliveries:
            first = await following(deliveries)
            await following(deliveries)
            assert await nothing_follows(deliveries)
            await first.ack()
            await following(deliveries)


async def test_an_unreadable_message_goes_aside_at_the_first_try_and_leaves_its_neighbours_alone(rig: Rig) -> None:
    before, after = requested(), requested()
    async with rig.connect(Service.SCHEDULER) as scheduler:
        await scheduler.publish(before, deadline_s=DEADLINE_S)
        await rig.put_raw(QUEUE, b"\xff{not json")
        await scheduler.publish(after, deadline_s=DEADLINE_S)
        async with scheduler.consume(QUEUE, prefetch=10) as deliveries:
            first, poison, last = [await following(deliveries) for _ in range(3)]
            assert poison.raw == b"\xff{not json"
            await poison.aside("unreadable")
            assert await rig.asides(QUEUE, 1) == [b"\xff{not json"]
            assert (first.read(), last.read()) == (before, after)
            assert (first.returned, last.returned) == (0, 0)
            await first.ack()
            await last.ack()
            assert await nothing_follows(deliveries)
    assert await rig.asides(QUEUE, 0) == []


async def test_a_message_that_comes_back_too_often_goes_aside_and_its_neighbour_does_not(rig: Rig) -> None:
    poison, good = requested(), requested()
    tries = 0
    async with rig.connect(Service.SCHEDULER) as scheduler:
        await scheduler.publish(poison, deadline_s=DEADLINE_S)
        await scheduler.publish(good, deadline_s=DEADLINE_S)
        async with scheduler.consume(QUEUE, prefetch=1) as deliveries:
            while (delivery := await following(deliveries)).read() == poison:
                assert delivery.returned == tries
                tries += 1
                await delivery.requeue()
            assert delivery.read() == good
            assert delivery.returned == 0
            await delivery.ack()
    assert tries == DELIVERY_LIMIT + 1
    assert await rig.asides(QUEUE, 1) == [poison.to_bytes()]


async def test_undecided_work_comes_back_when_its_consumer_leaves(rig: Rig) -> None:
    sent = [requested() for _ in range(3)]
    async with rig.connect(Service.SCHEDULER) as scheduler:
        for envelope in sent:
            await scheduler.publish(envelope, deadline_s=DEADLINE_S)
        async with scheduler.consume(QUEUE, prefetch=10) as deliveries:
            late = await following(deliveries)
        await late.ack()
        async with scheduler.consume(QUEUE, prefetch=10) as deliveries:
            assert [(await following(deliveries)).read() for _ in sent] == sent


async def test_undecided_work_comes_again_after_the_wire_was_cut_and_an_old_decision_is_void(rig: Rig) -> None:
    async with rig.connect(Service.SCHEDULER) as scheduler:
        await scheduler.publish(requested(), deadline_s=DEADLINE_S)
        async with scheduler.consume(QUEUE, prefetch=1) as deliveries:
            old = await following(deliveries)
            await rig.cut()
            again = await following(deliveries)
            assert again.raw == old.raw
            await old.ack()
            assert await nothing_follows(deliveries)
            await again.requeue()
            assert (await following(deliveries)).raw == old.raw


async def test_while_the_broker_is_away_publishing_fails_retryably_and_everything_goes_on_afterwards(rig: Rig) -> None:
    envelope = requested()
    async with rig.connect(Service.SCHEDULER) as scheduler, scheduler.consume(QUEUE, prefetch=1) as deliveries:
        assert scheduler.state.ready
        await rig.away()
        await until(lambda: scheduler.state.link is Link.AWAY)
        with pytest.raises(BrokerAwayError) as caught:
            await scheduler.publish(envelope, deadline_s=DEADLINE_S)
        assert caught.value.retryable
        assert scheduler.state.sentence == "waiting for the broker"
        await rig.back()
        await until(lambda: scheduler.state.ready)
        await scheduler.publish(envelope, deadline_s=DEADLINE_S)
        assert (await following(deliveries)).read() == envelope


async def test_a_service_reads_its_own_queues_only(rig: Rig) -> None:
    async with rig.connect(Service.GATEWAY) as gateway, rig.connect(Service.BUNDLER) as bundler:
        for broker in (gateway, bundler):
            with pytest.raises(BrokerDeniedError):
                async with broker.consume(QUEUE, prefetch=1):
                    pass


async def test_closing_ends_what_goes_on_and_refuses_the_rest(rig: Rig) -> None:
    async with rig.connect(Service.SCHEDULER) as scheduler, scheduler.consume(QUEUE, prefetch=1) as deliveries:
        await scheduler.close()
        assert [delivery async for delivery in deliveries] == []
        with pytest.raises(BrokerClosedError):
            await scheduler.publish(requested(), deadline_s=DEADLINE_S)
        assert scheduler.state.link is Link.CLOSED
        await scheduler.close()
