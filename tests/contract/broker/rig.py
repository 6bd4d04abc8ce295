"""The two brokers that pass one suite, and what a test does to them from outside."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import aio_pika
from aio_pika.abc import AbstractChannel

from libs.broker.backoff import Backoff
from libs.broker.memory.broker import MemoryBroker
from libs.broker.memory.node import MemoryNode
from libs.broker.ports import Broker
from libs.broker.rabbit import declare
from libs.broker.rabbit.broker import RabbitBroker
from libs.broker.topology import ExchangeName, QueueName, Service, Topology, queue_of
from tests.contract.broker.relay import Relay

NOW = 1_800_000_000_000
PATIENCE_S = 30.0
"""How long a test waits for what must come; a slow machine needs some of it, a passing test almost none."""


async def until(true: Callable[[], bool]) -> None:
    """Returns when `true()` is."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - it watches parts that know nothing of the test
            await asyncio.sleep(0.02)


class Rig(Protocol):
    """A broker under test."""

    def connect(self, service: Service) -> AbstractAsyncContextManager[Broker]:
        """A connection that is up."""
        ...

    async def put_raw(self, queue: QueueName, raw: bytes) -> None:
        """A message as a stranger would send it."""
        ...

    async def asides(self, queue: QueueName, count: int) -> list[bytes]:
        """The next `count` bodies that were put aside, as soon as there are so many; 0 asks for what is there now."""
        ...

    async def cut(self) -> None:
        """Ends every connection; new ones are taken at once."""
        ...

    async def away(self) -> None:
        """Ends every connection and takes no new ones until `back`."""
        ...

    async def back(self) -> None: ...


class MemoryRig:
    """The twin."""

    def __init__(self) -> None:
        self.node = MemoryNode(lambda: self.now)
        self.now = NOW
        self._seen: dict[QueueName, int] = {}

    @asynccontextmanager
    async def connect(self, service: Service) -> AsyncIterator[Broker]:
        broker = MemoryBroker(self.node, service)
        yield broker
        await broker.close()

    async def put_raw(self, queue: QueueName, raw: bytes) -> None:
        self.node.put_raw(queue, raw)

    async def asides(self, queue: QueueName, count: int) -> list[bytes]:
        await until(lambda: len(self.node.asides(queue)) - self._seen.get(queue, 0) >= count)
        found = self.node.asides(queue)[self._seen.get(queue, 0) :]
        self._seen[queue] = len(self.node.asides(queue))
        return found

    async def cut(self) -> None:
        self.node.restart()

    async def away(self) -> None:
        self.node.stop()

    async def back(self) -> None:
        self.node.start()


class RabbitRig:
    """A RabbitMQ, anyone's: all names carry a prefix of this test's own, and are deleted afterwards."""

    def __init__(self, relay: Relay, url: str, topology: Topology, channel: AbstractChannel) -> None:
        self._relay = relay
        self._url = url
        self._topology = topology
        self._channel = channel

    @asynccontextmanager
    async def connect(self, service: Service) -> AsyncIterator[Broker]:
        def backoff() -> Backoff:
            return Backoff(0.05, 0.2)

        async with RabbitBroker(self._url, service, lambda: NOW, topology=self._topology, backoff=backoff) as broker:
            await until(lambda: broker.state.ready)
            yield broker

    async def put_raw(self, queue: QueueName, raw: bytes) -> None:
        work = await self._channel.get_exchange(self._topology.name(ExchangeName.WORK), ensure=False)
        await work.publish(aio_pika.Message(raw), queue_of(queue).types[0], timeout=PATIENCE_S)

    async def asides(self, queue: QueueName, count: int) -> list[bytes]:
        name = queue_of(queue).aside
        assert name is not None
        aside = await self._channel.get_queue(self._topology.name(name), ensure=False)
        found: list[bytes] = []
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await aside.get(no_ack=True, fail=False)
                if message is not None:
                    found.append(message.body)
                elif len(found) >= count:
                    return found
                else:
                    await asyncio.sleep(0.05)

    async def cut(self) -> None:
        self._relay.cut()

    async def away(self) -> None:
        await self._relay.close()

    async def back(self) -> None:
        await self._relay.open()


@asynccontextmanager
async def rabbit_rig(url: str) -> AsyncIterator[RabbitRig]:
    """On the broker at `url`, whose user may do everything on its virtual host."""
    topology = Topology(prefix=f"test-{secrets.token_hex(4)}-")
    parts = urlsplit(url)
    try:
        connection = await aio_pika.connect(url)
        async with connection, Relay(parts.hostname or "", parts.port or 5672) as relay:
            channel = await connection.channel()
            await declare.everything(channel, topology)
            credentials = parts.netloc.rpartition("@")[0]
            relayed = urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{relay.port}"))
            yield RabbitRig(relay, relayed, topology, channel)
    finally:
        # By a connection of its own, since the test may have killed the broker and with it the other one.
        async with await aio_pika.connect(url) as connection:
            await declare.nothing_left(await connection.channel(), topology)
