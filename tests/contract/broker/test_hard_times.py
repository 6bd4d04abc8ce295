"""A broker that is killed, out of disk, or silent. The node is this module's own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.broker import Broker as Node
from libs.broker.errors import BrokerAwayError, PublishTimeoutError
from libs.broker.ports import Broker, Link
from libs.broker.rabbit.broker import RabbitBroker
from libs.broker.topology import QueueName, Service
from tests.contract.broker.messages import reported, requested
from tests.contract.broker.rig import NOW, PATIENCE_S, RabbitRig, rabbit_rig, until
from tests.contract.broker.test_work import following

pytestmark = pytest.mark.real

QUEUE = QueueName.REQUESTS
SETTLING_S = 2.0
"""A quorum queue younger than a moment may not survive a kill; see libs/broker/rabbit/declare.py."""


@pytest.fixture(scope="module")
def node(unpacked_rabbitmq: Path, parts_folder: Path) -> Iterator[Node]:
    node = Node(unpacked_rabbitmq, parts_folder / "hard-times")
    node.start()
    yield node
    node.stop()


@pytest.fixture
async def rig(node: Node) -> AsyncIterator[RabbitRig]:
    async with rabbit_rig(node.url) as rig:
        await asyncio.sleep(SETTLING_S)
        yield rig


async def test_a_killed_broker_loses_no_confirmed_message(rig: RabbitRig, node: Node) -> None:
    confirmed: list[str] = []
    stop = asyncio.Event()

    async def keep_publishing(gateway: Broker) -> None:
        while not stop.is_set():
            envelope = requested()
            try:
                await gateway.publish(envelope, deadline_s=2.0)
            except (BrokerAwayError, PublishTimeoutError):
                await asyncio.sleep(0.05)
            else:
                confirmed.append(envelope.id)

    read: set[str] = set()

    async def keep_reading(scheduler: Broker) -> None:
        async with scheduler.consume(QUEUE, prefetch=5) as deliveries:
            async for delivery in deliveries:
                read.add(delivery.read().id)
                await delivery.ack()

    async with (
        rig.connect(Service.GATEWAY) as gateway,
        rig.connect(Service.SCHEDULER) as scheduler,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(keep_publishing(gateway))
        reading = group.create_task(keep_reading(scheduler))
        await until(lambda: len(confirmed) > 100)
        await asyncio.to_thread(node.kill)
        before = len(confirmed)
        await asyncio.to_thread(node.restart)
        await until(lambda: len(confirmed) > before + 100)
        stop.set()
        await until(lambda: read.issuperset(confirmed))
        reading.cancel()
    assert len(confirmed) > 200


async def test_a_broker_out_of_disk_says_so_takes_no_more_and_goes_on_reading(rig: RabbitRig, node: Node) -> None:
    waiting, late = requested(), reported()
    async with rig.connect(Service.SCHEDULER) as scheduler:
        await scheduler.publish(waiting, deadline_s=10.0)
        await asyncio.to_thread(node.control, "set_disk_free_limit", "9000GB")
        # The broker speaks of its alarm to whoever publishes, and to nobody before. It neither takes nor refuses.
        with pytest.raises(PublishTimeoutError):
            await scheduler.publish(late, deadline_s=1.0)
        await until(lambda: scheduler.state.link is Link.BLOCKED)
        assert "out of disk" in scheduler.state.sentence
        with pytest.raises(BrokerAwayError):
            await scheduler.publish(late, deadline_s=1.0)
        async with scheduler.consume(QUEUE, prefetch=1) as deliveries:
            delivery = await following(deliveries)
            assert delivery.read() == waiting
            await delivery.ack()
        await asyncio.to_thread(node.control, "set_disk_free_limit", "50MB")
        await until(lambda: scheduler.state.ready)
        # What its publisher had given up is taken now; a second try would make it two.
        async with scheduler.consume(QueueName.REPORTS, prefetch=1) as deliveries:
            assert (await following(deliveries)).read() == late


async def test_a_silent_broker_ends_a_publish_at_its_deadline(rig: RabbitRig, node: Node) -> None:
    envelope = requested()
    async with rig.connect(Service.GATEWAY) as gateway, rig.connect(Service.SCHEDULER) as scheduler:
        await gateway.publish(reported(), deadline_s=10.0)
        node.pause()
        try:
            async with asyncio.timeout(PATIENCE_S):
                with pytest.raises(PublishTimeoutError) as caught:
                    await gateway.publish(envelope, deadline_s=0.3)
            assert caught.value.retryable
        finally:
            node.resume()
        async with scheduler.consume(QUEUE, prefetch=1) as deliveries:
            assert (await following(deliveries)).read() == envelope


async def test_a_wrong_password_is_said(node: Node) -> None:
    wrong = node.url.replace("keyturn:", "keyturn:not-")
    async with RabbitBroker(wrong, Service.GATEWAY, lambda: NOW) as broker:
        await until(lambda: broker.state.link is Link.DENIED)
        assert "refuses" in broker.state.sentence
        with pytest.raises(BrokerAwayError):
            await broker.publish(requested(), deadline_s=1.0)
