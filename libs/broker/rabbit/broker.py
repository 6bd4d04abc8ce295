"""The broker port on RabbitMQ, by aio-pika, which only this folder names.

Publishing and reading have a connection each: a broker that runs out of disk stops reading from those who publish, and
acknowledgements must not wait behind that. It says so (`connection.blocked`), and until it takes that back nothing is
sent. A confirm can fail to come for other reasons (a stuck queue, a silent network), so each has a deadline.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from libs.broker.backoff import Backoff
from libs.broker.errors import (
    BrokerAwayError,
    BrokerClosedError,
    BrokerDeniedError,
    CallTimeoutError,
    PublishTimeoutError,
)
from libs.broker.ports import BrokerState, Gap, Link
from libs.broker.rabbit import subscription
from libs.broker.rabbit.connection import Kept
from libs.broker.rabbit.consumer import Consumer, RabbitDelivery
from libs.broker.rabbit.private import Answers, Notices
from libs.broker.rabbit.publisher import Publisher, Question
from libs.broker.stream import NoticeStream
from libs.broker.topology import NOTICES, ExchangeName, QueueName, Service, Topology
from libs.wire.envelope import Envelope

_ORDER = (Link.CLOSED, Link.DENIED, Link.AWAY, Link.BLOCKED, Link.UP)
"""From worst to best: the worse of the two connections is the state of both."""


class RabbitBroker:
    """A connection with one service's rights. Used as a context; connects in the background, and again for ever.

    Args:
        url: amqp or amqps, with user and password; never logged.
        service: Whose rights and queues.
        now: Unix milliseconds.
        topology: The names on this broker.
        backoff: Makes the waits between tries.
    """

    def __init__(
        self,
        url: str,
        service: Service,
        now: Callable[[], int],
        *,
        topology: Topology | None = None,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._topology = topology or Topology()
        self._service = service
        self._rights = self._topology.rights(service)
        self._backoff = backoff
        self._sending = Kept(f"keyturn {service} sends", url, now, backoff())
        self._reading = Kept(f"keyturn {service} reads", url, now, backoff())
        self._publisher = Publisher(self._sending, self._topology)
        self._answers = Answers(self._topology, service)
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._consumers: set[Consumer] = set()
        self._streams: set[NoticeStream] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._start(self._sending.run())
        self._start(self._reading.run())
        if self._may_call():
            self._start(subscription.run(self._reading, self._answers, self._backoff()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if isinstance(error, asyncio.CancelledError):
            await self._group.__aexit__(kind, error, trace)
        else:
            # The group would wrap an error of whoever uses this context; it is asked for errors of our tasks alone.
            await self._group.__aexit__(None, None, None)

    @property
    def state(self) -> BrokerState:
        if self._closed:
            return BrokerState(Link.CLOSED, self._sending.state.since)
        both = (self._sending.state, self._reading.state)
        link = min((state.link for state in both), key=_ORDER.index)
        moments = [state.since for state in both if state.link is link]
        # It is up since both are, and anything else since one of them is.
        return BrokerState(link, max(moments) if link is Link.UP else min(moments))

    async def publish(self, envelope: Envelope, *, deadline_s: float) -> None:
        self._writes(ExchangeName.WORK)
        await self._publisher.work(envelope, deadline_s=deadline_s)

    async def notify(self, envelope: Envelope) -> None:
        if envelope.type not in NOTICES:
            raise BrokerDeniedError(f"{envelope.type} is no notice")
        self._writes(ExchangeName.NOTICES)
        await self._publisher.notice(envelope)

    @asynccontextmanager
    async def consume(self, queue: QueueName, *, prefetch: int) -> AsyncIterator[AsyncIterator[RabbitDelivery]]:
        self._reads(queue)
        consumer = Consumer(self._topology, queue, prefetch=prefetch, reply=self._publisher.answer)
        task = self._start(subscription.run(self._reading, consumer, self._backoff()))
        self._consumers.add(consumer)
        try:
            yield consumer
        finally:
            self._consumers.discard(consumer)
            consumer.close()
            await self._stop(task)

    @asynccontextmanager
    async def notices(self, patterns: Collection[str]) -> AsyncIterator[AsyncIterator[Envelope | Gap]]:
        self._reads(ExchangeName.NOTICES)
        stream = NoticeStream()
        reader = Notices(self._topology, self._service, patterns, stream)
        task = self._start(subscription.run(self._reading, reader, self._backoff()))
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)
            stream.close()
            await self._stop(task)

    async def call(self, envelope: Envelope, *, timeout_s: float) -> Envelope:
        self._writes(ExchangeName.WORK)
        self._reads(ExchangeName.REPLIES)
        correlation = secrets.token_hex(16)
        answer = self._answers.expect(correlation)
        sent = False
        try:
            async with asyncio.timeout(timeout_s):
                question = Question(await self._answers.address(), correlation, timeout_s)
                sent = True
                await self._publisher.work(envelope, deadline_s=timeout_s, question=question)
                return await answer
        except (TimeoutError, PublishTimeoutError) as error:
            if not sent:
                raise BrokerAwayError(self.state.sentence) from error
            raise CallTimeoutError(f"no answer to {envelope.type} in {timeout_s:g} s") from error
        finally:
            self._answers.forget(correlation)

    async def close(self) -> None:
        self._closed = True
        for consumer in self._consumers:
            consumer.close()
        for stream in self._streams:
            stream.close()
        self._answers.lost()
        # The newest first, so that readers give their messages back while there is a connection.
        for task in reversed(self._tasks.copy()):
            await self._stop(task)

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self._group.create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)
        return task

    @staticmethod
    async def _stop(task: "asyncio.Task[None]") -> None:
        task.cancel()
        await asyncio.wait([task])

    def _may_call(self) -> bool:
        return self._rights.reads(self._topology.name(ExchangeName.REPLIES))

    def _open(self) -> None:
        if self._closed:
            raise BrokerClosedError("this connection is closed")

    def _writes(self, exchange: ExchangeName) -> None:
        self._open()
        if not self._rights.writes(self._topology.name(exchange)):
            raise BrokerDeniedError(f"{self._service} may not write to {exchange}")

    def _reads(self, name: QueueName | ExchangeName) -> None:
        self._open()
        if not self._rights.reads(self._topology.name(name)):
            raise BrokerDeniedError(f"{self._service} may not read {name}")
