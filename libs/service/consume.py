"""Running a queue: each message in a task of its own, acknowledged last and decided alone.

    done                            acknowledged
    a retryable error               tried again here, with longer and longer waits, while the broker waits for the word
    a permanent error               aside, logged as an error
    an error that nobody foresaw    aside, logged with its trace
    an unreadable message           aside at the first try

A message is kept, and not given back, while the store is away: giving back counts towards the delivery limit, and the
whole queue would go aside in an outage. RabbitMQ takes a message back by itself after half an hour, and twenty times
that is enough for somebody to come. What is aside can be made again from the documents.

A request with an answer is tried once: its caller waits for seconds, and asks again himself.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from libs.broker.backoff import Backoff
from libs.broker.errors import BrokerAwayError
from libs.broker.ports import Broker, Delivery
from libs.broker.topology import QueueName
from libs.domain.errors import KeyturnError
from libs.service.clock import Clock
from libs.telemetry.metrics import Metrics
from libs.wire.envelope import Envelope, UnreadableError
from libs.wire.steps import Step, step

PREFETCH = 16

Act = Callable[[Envelope], Awaitable[None]]
"""What is done for one message. It may run twice for the same, also at the same time."""

Answer = Callable[[Envelope], Awaitable[Envelope]]

_log = structlog.get_logger(__name__)


class Consumers:
    """Makes parts of a process out of queues.

    Args:
        broker: Where from.
        clock: Time.
        metrics: Gets `keyturn_messages_*`.
        prefetch: How many messages of a queue are worked on at once.
        backoff: Makes the waits of one message.
    """

    def __init__(
        self,
        broker: Broker,
        clock: Clock,
        metrics: Metrics,
        *,
        prefetch: int = PREFETCH,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._prefetch = prefetch
        self._backoff = backoff
        self._decided = metrics.counter("messages_decided", "Messages by queue and decision.", ("queue", "decision"))
        self._retries = metrics.counter("messages_retries", "Tries that failed and are repeated.", ("queue",))
        self._age = metrics.histogram("messages_age_seconds", "From a message's making to its first try.", ("queue",))
        self._held = metrics.gauge("messages_held", "Messages in hand now, waiting ones included.", ("queue",))

    async def work(self, queue: QueueName, act: Act) -> None:
        """Does `act` for each message of `queue`, until it is cancelled or the broker's connection is closed."""
        await self._run(queue, lambda delivery, envelope: self._work(delivery, envelope, act))

    async def requests(self, queue: QueueName, answer: Answer) -> None:
        """Answers each request of `queue`, until it is cancelled or the broker's connection is closed."""
        await self._run(queue, lambda delivery, envelope: self._answer(delivery, envelope, answer))

    async def _run(self, queue: QueueName, one: Callable[[Delivery, Envelope], Awaitable[None]]) -> None:
        # After a reconnect messages come again that are still worked on: together they are no more than before.
        free = asyncio.Semaphore(self._prefetch)
        async with (
            asyncio.TaskGroup() as group,
            self._broker.consume(queue, prefetch=self._prefetch) as deliveries,
        ):
            async for delivery in deliveries:
                await free.acquire()
                task = group.create_task(self._decide(delivery, one))
                task.add_done_callback(lambda _: free.release())

    async def _decide(self, delivery: Delivery, one: Callable[[Delivery, Envelope], Awaitable[None]]) -> None:
        with self._held.labels(delivery.queue).track_inprogress():
            try:
                envelope = delivery.read()
                self._age.labels(delivery.queue).observe(max(0, self._clock.now() - envelope.at) / 1_000)
                step(Step.CONSUMER_DELIVERED, delivery.queue)
                await one(delivery, envelope)
                step(Step.CONSUMER_DONE, delivery.queue)
            except UnreadableError as error:
                await self._aside(delivery, f"unreadable: {error}")
            except KeyturnError as error:
                _log.error("message failed", queue=delivery.queue, error=type(error).__name__, why=str(error))
                await self._aside(delivery, type(error).__name__)
            except Exception as error:  # noqa: BLE001 - one message's accident must not take the others' consumer along
                _log.exception("message failed unforeseen", queue=delivery.queue)
                await self._aside(delivery, type(error).__name__)
            else:
                await delivery.ack()
                step(Step.CONSUMER_ACKNOWLEDGED, delivery.queue)
                self._decided.labels(delivery.queue, "done").inc()

    async def _aside(self, delivery: Delivery, reason: str) -> None:
        await delivery.aside(reason)
        self._decided.labels(delivery.queue, "aside").inc()

    async def _work(self, delivery: Delivery, envelope: Envelope, act: Act) -> None:
        backoff = self._backoff()
        while True:
            try:
                await act(envelope)
            except KeyturnError as error:
                if not error.retryable:
                    raise
                wait_s = backoff.next()
                self._retries.labels(delivery.queue).inc()
                _log.warning(
                    "message waits", queue=delivery.queue, id=envelope.id, why=str(error), seconds=round(wait_s, 2)
                )
                await self._clock.sleep(wait_s)
            else:
                return

    async def _answer(self, delivery: Delivery, envelope: Envelope, answer: Answer) -> None:
        answered = await answer(envelope)
        try:
            await delivery.reply(answered)
        except BrokerAwayError as error:
            # The caller's queue went with the connection, so another try would find nobody.
            _log.warning("answer lost", queue=delivery.queue, id=envelope.id, why=str(error))
