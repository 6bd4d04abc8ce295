"""The broker port: work that arrives at least once, notices that may be lost, and requests with an answer.

- `publish` returns when the broker has the message safely, and raises otherwise. A message may arrive twice and out of
  order, so a consumer first compares and sets, and acknowledges last.
- `consume` gives each message to one consumer until it decides: acknowledge, give back, or put aside. A message whose
  consumer or connection was lost comes again.
- `notify` and `notices` are hints to whoever listens now. A `Gap` in the stream says that hints may have been missed
  there, and that what they spoke of must be read from the documents.
- `call` and `Delivery.reply` are one question and its answer. A question expires with its caller's patience.

A connection is restored for ever. Everything that goes on (consuming, listening) goes on by itself after that;
everything that was asked while it was lost fails with a retryable error.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from libs.broker.topology import QueueName
from libs.wire.envelope import Envelope


class Link(StrEnum):
    """What is known of the connection."""

    AWAY = "away"
    UP = "up"
    BLOCKED = "blocked"
    DENIED = "denied"
    CLOSED = "closed"


_SENTENCES = {
    Link.AWAY: "waiting for the broker",
    Link.UP: "connected",
    Link.BLOCKED: "the broker is out of disk or memory, changes wait",
    Link.DENIED: "the broker refuses this service's name or password",
    Link.CLOSED: "closed",
}


@dataclass(frozen=True)
class BrokerState:
    """The connection's state, and since when in Unix milliseconds."""

    link: Link
    since: int

    @property
    def ready(self) -> bool:
        return self.link is Link.UP

    @property
    def sentence(self) -> str:
        """For a person, as health shows it."""
        return _SENTENCES[self.link]


@dataclass(frozen=True)
class Gap:
    """Notices may have been lost before this point: read the documents again. `reason` is for the log."""

    reason: str


class Delivery(Protocol):
    """One message in a consumer's hands. It is decided once; a decision after the connection was lost is void."""

    @property
    def queue(self) -> QueueName: ...

    @property
    def raw(self) -> bytes:
        """The body as it came."""
        ...

    @property
    def returned(self) -> int:
        """How often it came back to the queue before, 0 at its first delivery."""
        ...

    @property
    def wants_reply(self) -> bool: ...

    def read(self) -> Envelope:
        """The envelope in the body.

        Raises:
            UnreadableError: there is none.
        """
        ...

    async def ack(self) -> None:
        """It is done and goes."""
        ...

    async def requeue(self) -> None:
        """It goes back, and aside when it did so more often than the queue allows."""
        ...

    async def aside(self, reason: str) -> None:
        """It goes into the queue's aside, or where there is none it goes for good. `reason` is logged."""
        ...

    async def reply(self, answer: Envelope) -> None:
        """Answers the caller. That nobody waits any longer is no error.

        Raises:
            BrokerAwayError: the answer was not sent.
            MessageTooLargeError: it is larger than an envelope may be.
        """
        ...


class Broker(Protocol):
    """A connection to the broker with the rights of one service."""

    @property
    def state(self) -> BrokerState: ...

    async def publish(self, envelope: Envelope, *, deadline_s: float) -> None:
        """Puts work into the queue of its type; returns when the broker has it safely.

        Args:
            envelope: Its type decides the queue.
            deadline_s: Seconds to wait for the broker's word, above 0.

        Raises:
            BrokerAwayError: nothing was sent.
            PublishTimeoutError: it was sent, and its outcome is unknown.
            UnroutableError: no queue takes this type.
            BrokerFullError: the queue is full.
            BrokerDeniedError: this service may not publish work.
            MessageTooLargeError: it is larger than an envelope may be.
            BrokerClosedError: this connection is closed.
        """
        ...

    async def notify(self, envelope: Envelope) -> None:
        """Tells whoever listens now. Nobody listening, or no broker, is no error.

        Raises:
            BrokerDeniedError: this service may not, or `envelope` is no notice.
            MessageTooLargeError: it is larger than an envelope may be.
        """
        ...

    def consume(self, queue: QueueName, *, prefetch: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """The messages of `queue`, at most `prefetch` undecided at a time. Ends when this connection is closed.

        Raises:
            BrokerDeniedError: this service may not read the queue.
        """
        ...

    def notices(self, patterns: Collection[str]) -> AbstractAsyncContextManager[AsyncIterator[Envelope | Gap]]:
        """What is notified from now on, by patterns of types (`agent.wake`, `*.changed`).

        The first item is a `Gap`: from there on nothing is missed unless another one says so.

        Raises:
            BrokerDeniedError: this service may not listen.
        """
        ...

    async def call(self, envelope: Envelope, *, timeout_s: float) -> Envelope:
        """Asks the consumer of this type, and returns its answer. The request expires after `timeout_s`.

        Raises:
            CallTimeoutError: no answer came.
            BrokerAwayError: nothing was sent.
            UnroutableError: no queue takes this type.
            BrokerFullError: too many ask already.
            BrokerDeniedError: this service may not ask.
            MessageTooLargeError: it is larger than an envelope may be.
            BrokerClosedError: this connection is closed.
        """
        ...

    async def close(self) -> None:
        """Ends every iterator and gives undecided messages back. Can be called twice."""
        ...
