"""One question, one answer, and an expiry."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.broker.errors import BrokerAwayError, BrokerDeniedError, CallTimeoutError
from libs.broker.ports import Broker, Link
from libs.broker.topology import QueueName, Service
from tests.contract.broker.messages import answered, asked
from tests.contract.broker.rig import PATIENCE_S, MemoryRig, Rig, until
from tests.contract.broker.test_work import following, nothing_follows

QUEUE = QueueName.REVEALS


@asynccontextmanager
async def answering(scheduler: Broker, together: int = 1) -> AsyncIterator[None]:
    """Answers every question meanwhile, the last of so many first."""

    async def answer() -> None:
        async with scheduler.consume(QUEUE, prefetch=together) as deliveries:
            while True:
                taken = [await anext(deliveries) for _ in range(together)]
                for delivery in reversed(taken):
                    assert delivery.wants_reply
                    await delivery.reply(answered(delivery.read()))
                    await delivery.ack()

    task = asyncio.create_task(answer())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def test_each_caller_gets_his_own_answer(rig: Rig) -> None:
    questions = [asked(), asked()]
    async with (
        rig.connect(Service.GATEWAY) as gateway,
        rig.connect(Service.GATEWAY) as second,
        rig.connect(Service.SCHEDULER) as scheduler,
        answering(scheduler, together=2),
    ):
        answers = await asyncio.gather(
            *(
                broker.call(each, timeout_s=PATIENCE_S)
                for broker, each in zip((gateway, second), questions, strict=True)
            )
        )
    assert [answer.body["answer"] for answer in answers] == [{"to": question.id} for question in questions]


async def test_a_question_that_nobody_answers_ends_and_is_never_read_afterwards(rig: Rig) -> None:
    async with rig.connect(Service.GATEWAY) as gateway, rig.connect(Service.SCHEDULER) as scheduler:
        with pytest.raises(CallTimeoutError) as caught:
            await gateway.call(asked(), timeout_s=0.5)
        assert caught.value.retryable
        if isinstance(rig, MemoryRig):
            rig.now += 500
        else:
            # The broker counts a question's time from when it got it, which on a busy machine is after it was sent.
            await asyncio.sleep(2)
        async with scheduler.consume(QUEUE, prefetch=1) as deliveries:
            assert await nothing_follows(deliveries)


async def test_an_answer_that_nobody_waits_for_is_no_error(rig: Rig) -> None:
    async with (
        rig.connect(Service.GATEWAY) as gateway,
        rig.connect(Service.SCHEDULER) as scheduler,
        scheduler.consume(QUEUE, prefetch=1) as deliveries,
    ):
        call = asyncio.create_task(gateway.call(asked(), timeout_s=PATIENCE_S))
        delivery = await following(deliveries)
        call.cancel()
        await asyncio.wait([call])
        await delivery.reply(answered(delivery.read()))
        await delivery.ack()


async def test_an_unreadable_question_goes_for_good(rig: Rig) -> None:
    async with rig.connect(Service.SCHEDULER) as scheduler:
        await rig.put_raw(QUEUE, b"nothing")
        async with scheduler.consume(QUEUE, prefetch=1) as deliveries:
            await (await following(deliveries)).aside("unreadable")
            assert await nothing_follows(deliveries)


async def test_a_call_ends_when_the_wire_is_cut_and_the_next_one_works(rig: Rig) -> None:
    async with rig.connect(Service.GATEWAY) as gateway, rig.connect(Service.SCHEDULER) as scheduler:
        async with scheduler.consume(QUEUE, prefetch=1) as deliveries:
            call = asyncio.create_task(gateway.call(asked(), timeout_s=10 * PATIENCE_S))
            await (await following(deliveries)).ack()
            await rig.cut()
            with pytest.raises(CallTimeoutError):
                await call
        await until(lambda: gateway.state.ready and scheduler.state.ready)
        async with answering(scheduler):
            await asyncio.gather(*(gateway.call(asked(), timeout_s=PATIENCE_S) for _ in range(4)))


async def test_without_a_broker_nothing_is_asked(rig: Rig) -> None:
    async with rig.connect(Service.GATEWAY) as gateway:
        await rig.away()
        await until(lambda: gateway.state.link is Link.AWAY)
        with pytest.raises(BrokerAwayError):
            await gateway.call(asked(), timeout_s=0.5)
        await rig.back()


async def test_only_the_gateway_asks(rig: Rig) -> None:
    async with rig.connect(Service.BUNDLER) as bundler:
        with pytest.raises(BrokerDeniedError):
            await bundler.call(asked(), timeout_s=1)
