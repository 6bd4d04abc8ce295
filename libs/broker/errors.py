"""What can go wrong at the broker. The one question a caller asks is `retryable`.

    BrokerError                 a KeyturnError
    ├── BrokerAwayError         retryable: no connection, or one that the broker has blocked; nothing was sent
    ├── PublishTimeoutError     retryable: sent, and not confirmed before the deadline; it may have arrived
    ├── UnroutableError         retryable, and alarmed: no queue takes this type, so somebody must declare it
    ├── BrokerFullError         retryable: the queue is full and refused the message
    ├── CallTimeoutError        retryable: no answer came in time; the request may have had its effect
    ├── BrokerDeniedError       permanent: this service has no right to do that, or its password is wrong
    ├── MessageTooLargeError    permanent: no reader would take an envelope of this size
    └── BrokerClosedError       permanent: this side closed its connection

An acknowledgement raises none of them: where it is lost, the message comes again.
"""

from libs.domain.errors import KeyturnError


class BrokerError(KeyturnError):
    """The base of the tree."""


class BrokerAwayError(BrokerError):
    """Nobody listens, or nothing is taken now; nothing was sent."""

    retryable = True


class PublishTimeoutError(BrokerError):
    """The message was sent and may arrive yet: whoever repeats it relies on idempotent consumers."""

    retryable = True


class UnroutableError(BrokerError):
    """No queue is bound for this type of message."""

    retryable = True


class BrokerFullError(BrokerError):
    """The queue has reached its length and refused the message."""

    retryable = True


class CallTimeoutError(BrokerError):
    """Nobody answered in time."""

    retryable = True


class BrokerDeniedError(BrokerError):
    """The broker knows this service and forbids the action, or does not know it."""

    retryable = False


class MessageTooLargeError(BrokerError):
    """The envelope has more bytes than a reader takes; nothing was sent."""

    retryable = False


class BrokerClosedError(BrokerError):
    """The connection was closed by this side."""

    retryable = False
