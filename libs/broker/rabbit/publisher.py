"""Sending: confirmed work and requests on one channel, notices and answers on another."""

import asyncio
from dataclasses import dataclass

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError
from aiormq.exceptions import ChannelAccessRefused

from libs.broker.body import body
from libs.broker.errors import (
    BrokerAwayError,
    BrokerDeniedError,
    BrokerFullError,
    PublishTimeoutError,
    UnroutableError,
)
from libs.broker.ports import Link
from libs.broker.rabbit.connection import LOST, Kept
from libs.broker.topology import ExchangeName, Topology
from libs.wire.envelope import Envelope

HINT_S = 2.0
"""Seconds that a notice or an answer may take on its way to the socket."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Question:
    """What makes a message a request: where its answer goes, and the seconds after which nobody wants it."""

    reply_to: str
    correlation: str
    expires_s: float


class Publisher:
    """Sends over a connection that is used for nothing else, since a broker out of disk stops reading from it."""

    def __init__(self, kept: Kept, topology: Topology) -> None:
        self._kept = kept
        self._topology = topology
        self._confirmed = _Channel(kept, confirms=True)
        self._hints = _Channel(kept, confirms=False)

    async def work(self, envelope: Envelope, *, deadline_s: float, question: Question | None = None) -> None:
        """Sends by the envelope's type and waits for the broker's word. Raises as `Broker.publish` does."""
        if self._kept.state.link is not Link.UP:
            # A blocked connection would keep what it is given, and send it once more for each try.
            raise BrokerAwayError(self._kept.state.sentence)
        message = aio_pika.Message(
            body(envelope),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            reply_to=question.reply_to if question else None,
            correlation_id=question.correlation if question else None,
            expiration=question.expires_s if question else None,
        )
        try:
            async with asyncio.timeout(deadline_s):
                channel = await self._confirmed.open()
        except LOST as error:
            raise BrokerAwayError("no channel to the broker") from error
        try:
            async with asyncio.timeout(deadline_s):
                exchange = await channel.get_exchange(self._topology.name(ExchangeName.WORK), ensure=False)
                await exchange.publish(message, envelope.type, mandatory=True)
        except PublishError as error:
            raise UnroutableError(f"no queue takes {envelope.type}") from error
        except DeliveryError as error:
            raise BrokerFullError(f"the queue of {envelope.type} is full") from error
        except ChannelAccessRefused as error:
            raise BrokerDeniedError(f"{envelope.type} may not be published") from error
        except ChannelNotFoundEntity as error:
            raise UnroutableError("the broker has no exchange for work") from error
        except TimeoutError as error:
            raise PublishTimeoutError(f"{envelope.type} was not confirmed in {deadline_s:g} s") from error
        except LOST as error:
            raise PublishTimeoutError(f"the connection was lost before {envelope.type} was confirmed") from error

    async def notice(self, envelope: Envelope) -> None:
        """Sends to whoever listens; a broker that is away is logged."""
        try:
            await self._hint(ExchangeName.NOTICES, envelope.type, aio_pika.Message(body(envelope)))
        except LOST as error:
            _log.info("notice not sent", type=envelope.type, why=type(error).__name__)

    async def answer(self, reply_to: str, correlation: str, answer: Envelope) -> None:
        """Sends to one caller, who may have gone.

        Raises:
            BrokerAwayError: it was not sent.
        """
        message = aio_pika.Message(body(answer), correlation_id=correlation)
        try:
            await self._hint(ExchangeName.REPLIES, reply_to, message)
        except LOST as error:
            raise BrokerAwayError("the answer was not sent") from error

    async def _hint(self, exchange: ExchangeName, key: str, message: aio_pika.Message) -> None:
        async with asyncio.timeout(HINT_S):
            channel = await self._hints.open()
            target = await channel.get_exchange(self._topology.name(exchange), ensure=False)
            await target.publish(message, key, mandatory=False)


class _Channel:
    """A channel of the connection there is now, opened when needed and again after the broker closed it."""

    def __init__(self, kept: Kept, *, confirms: bool) -> None:
        self._kept = kept
        self._confirms = confirms
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> AbstractChannel:
        """Raises ConnectionError when there is no connection, and whatever of LOST the opening raises."""
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                connection = self._kept.connection
                if connection is None:
                    raise ConnectionError("no connection to the broker")
                channel = connection.channel(publisher_confirms=self._confirms, on_return_raises=self._confirms)
                await channel.initialize()
                self._channel = channel
            return self._channel
