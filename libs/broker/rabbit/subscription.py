"""Reading one queue for ever: a channel of its own, opened, prepared and read anew after each loss."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from libs.broker.backoff import Backoff
from libs.broker.rabbit.connection import LOST, Kept

_log = structlog.get_logger(__name__)

OPEN_S = 10.0


class Reader(Protocol):
    """What one reads, and what one does with it."""

    @property
    def name(self) -> str:
        """For the log."""
        ...

    @property
    def prefetch(self) -> int | None:
        """How many undecided messages the broker sends; None where nothing is acknowledged."""
        ...

    async def prepare(self, channel: AbstractChannel) -> AbstractQueue:
        """Declares and binds whatever is needed, and returns the queue to read."""
        ...

    def ready(self) -> None:
        """From now on messages arrive."""
        ...

    def receive(self, message: AbstractIncomingMessage) -> None:
        """One message; must not wait."""
        ...

    def lost(self) -> None:
        """The channel is gone, and with it every message that was not decided."""
        ...


async def run(kept: Kept, reader: Reader, backoff: Backoff) -> None:
    """Keeps `reader` supplied until it is cancelled."""
    while True:
        connection = await kept.wait()
        try:
            # Without confirms, because nothing is published here.
            channel = connection.channel(publisher_confirms=False)
            async with asyncio.timeout(OPEN_S):
                await channel.initialize()
        except LOST as error:
            _log.warning("queue not read", queue=reader.name, why=type(error).__name__)
        else:
            try:
                await _read(channel, reader, backoff)
            except LOST as error:
                _log.warning("queue not read", queue=reader.name, why=type(error).__name__, detail=str(error)[:200])
            finally:
                reader.lost()
                await _end(channel, reader.name)
        await asyncio.sleep(backoff.next())


async def _read(channel: AbstractChannel, reader: Reader, backoff: Backoff) -> None:
    ended = asyncio.Event()
    channel.close_callbacks.add(lambda *_: ended.set())
    underlay = await channel.get_underlay_channel()
    # The broker ends a consumer whose queue is deleted, and leaves its channel open.
    underlay.on_consumer_cancel_callbacks.add(lambda _: ended.set())
    async with asyncio.timeout(OPEN_S):
        if reader.prefetch is not None:
            await channel.set_qos(prefetch_count=reader.prefetch)
        queue = await reader.prepare(channel)
        await queue.consume(_receiver(reader), no_ack=reader.prefetch is None)
    backoff.reset()
    reader.ready()
    _log.info("queue is read", queue=reader.name)
    await ended.wait()


def _receiver(reader: Reader) -> Callable[[AbstractIncomingMessage], Awaitable[None]]:
    async def receive(message: AbstractIncomingMessage) -> None:
        reader.receive(message)

    return receive


async def _end(channel: AbstractChannel, name: str) -> None:
    """Closes the channel, which gives undecided messages back."""
    try:
        async with asyncio.timeout(1.0):
            await channel.close()
    except LOST as error:
        _log.info("channel not closed in order", queue=name, why=type(error).__name__)
