"""What the generated definitions make of a real broker: each service can do its part and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused

from deploy.local.broker import Broker as Node
from libs.broker.ports import Broker, Gap
from libs.broker.rabbit.broker import RabbitBroker
from libs.broker.topology import ADMINISTRATOR, QUEUES, ExchangeName, QueueName, Service, definitions
from tests.contract.broker.messages import answered, asked, requested, wake
from tests.contract.broker.rig import NOW, PATIENCE_S, until
from tests.contract.broker.test_work import following

pytestmark = pytest.mark.real

PASSWORDS = {name: f"password-of-{name}" for name in (*Service, ADMINISTRATOR)}


@pytest.fixture(scope="module")
def node(unpacked_rabbitmq: Path, parts_folder: Path) -> Iterator[Node]:
    folder = parts_folder / "rights"
    folder.mkdir()
    file = folder / "definitions.json"
    file.write_text(json.dumps(definitions(PASSWORDS)))
    node = Node(unpacked_rabbitmq, folder / "broker", definitions=file)
    node.start()
    yield node
    node.stop()


def url(node: Node, user: str) -> str:
    return node.address.replace("://", f"://{user}:{PASSWORDS[user]}@")


@asynccontextmanager
async def connect(node: Node, service: Service) -> AsyncIterator[Broker]:
    async with RabbitBroker(url(node, service), service, lambda: NOW) as broker:
        await until(lambda: broker.state.ready)
        yield broker


async def test_the_way_of_a_reset_and_of_a_reveal_is_open(node: Node) -> None:
    async with (
        connect(node, Service.GATEWAY) as gateway,
        connect(node, Service.SCHEDULER) as scheduler,
        gateway.notices(["agent.*"]) as notices,
        scheduler.consume(QueueName.REQUESTS, prefetch=1) as requests,
        scheduler.consume(QueueName.REVEALS, prefetch=1) as reveals,
    ):
        assert isinstance(await following_notice(notices), Gap)
        await gateway.publish(requested(), deadline_s=PATIENCE_S)
        await (await following(requests)).aside("as a test")
        woken = wake()
        await scheduler.notify(woken)
        assert await following_notice(notices) == woken
        call = asyncio.create_task(gateway.call(asked(), timeout_s=PATIENCE_S))
        question = await following(reveals)
        answer = answered(question.read())
        await question.reply(answer)
        await question.ack()
        assert await call == answer


async def test_each_service_can_read_its_own_queues(node: Node) -> None:
    for service in (Service.SCHEDULER, Service.BUNDLER):
        connection = await aio_pika.connect(url(node, service))
        async with connection:
            for queue in QUEUES:
                channel = await connection.channel()
                if queue.service is service:
                    assert await (await channel.get_queue(queue.name)).get(fail=False) is None
                else:
                    with pytest.raises(ChannelAccessRefused):
                        await (await channel.get_queue(queue.name, ensure=False)).get(fail=False)


@pytest.mark.parametrize("queue", [queue.name for queue in QUEUES])
async def test_the_gateway_reads_deletes_and_configures_no_queue_of_others(node: Node, queue: QueueName) -> None:
    connection = await aio_pika.connect(url(node, Service.GATEWAY))
    async with connection:
        with pytest.raises(ChannelAccessRefused):
            await (await connection.channel()).declare_queue(f"{queue}.mine")
        for act in ("get", "delete", "purge"):
            channel = await connection.channel()
            target = await channel.get_queue(queue, ensure=False)
            with pytest.raises(ChannelAccessRefused):
                await getattr(target, act)()


async def test_the_gateway_cannot_listen_to_work_and_nobody_uses_the_default_exchange(node: Node) -> None:
    connection = await aio_pika.connect(url(node, Service.GATEWAY))
    async with connection:
        channel = await connection.channel()
        mine = await channel.declare_queue("gateway.mine", exclusive=True)
        with pytest.raises(ChannelAccessRefused):
            await mine.bind(ExchangeName.WORK, "task.reported")
        channel = await connection.channel()
        with pytest.raises(ChannelAccessRefused):
            await channel.default_exchange.publish(aio_pika.Message(b"{}"), QueueName.REQUESTS)


async def following_notice(notices: AsyncIterator[object]) -> object:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(notices)
