"""Exchanges, queues, bindings, users and rights, as data: whatever a broker holds of Keyturn is derived from this file.

Work goes through `work` by its type into one durable queue per consumer and noun. Notices go through `notices` into
the private queues of whoever listens now. Answers go through `replies`, never through the default exchange, so that a
forged reply address can reach reply queues only. What a consumer puts aside goes through `dead` into `<queue>.aside`.

A queue's name begins with the service that reads it. That service alone may configure it, and may bind it anew after
it was lost; so it may read from the exchanges its queues hang on. All may write notices: a notice is a hint, and the
worst that a forged one does is that somebody reads a document again.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

DELIVERY_LIMIT: Final = 20
"""How often a message may come back before it is put aside. While the store is away a consumer keeps its message."""

WORK_LENGTH: Final = 100_000
REQUEST_LENGTH: Final = 1_000
PRIVATE_LENGTH: Final = 10_000

ADMINISTRATOR: Final = "admin"
"""The broker's user with all rights; no service is it."""


class Service(StrEnum):
    """Who has a user of its own at the broker."""

    GATEWAY = "gateway"
    SCHEDULER = "scheduler"
    BUNDLER = "bundler"


class ExchangeName(StrEnum):
    WORK = "work"
    NOTICES = "notices"
    REPLIES = "replies"
    DEAD = "dead"


class QueueName(StrEnum):
    """Every durable queue that has a consumer."""

    REQUESTS = "scheduler.requests"
    REPORTS = "scheduler.reports"
    FETCHES = "scheduler.fetches"
    OBSERVATIONS = "scheduler.observations"
    ENROLLED = "scheduler.enrolments"
    REVEALS = "scheduler.reveals"
    HANDOVERS = "scheduler.handovers"
    ENROLMENTS = "bundler.enrolments"
    PACKAGES = "bundler.packages"
    CERTIFICATES = "bundler.certificates"
    DECISIONS = "bundler.decisions"


NOTICES: Final = frozenset({"agent.wake", "agent.revoked", "task.changed", "account.changed", "resource.changed"})
"""The types of the hints. They are the routing keys of the topic exchange."""


@dataclass(frozen=True)
class Queue:
    """A durable quorum queue and the message types that it takes.

    A queue of requests (`asks`) has no aside: a request that expired, or that nobody can read, must be kept nowhere,
    and who asked learns it by his own deadline.
    """

    name: QueueName
    types: tuple[str, ...]
    asks: bool = False

    @property
    def service(self) -> Service:
        return Service(self.name.partition(".")[0])

    @property
    def aside(self) -> str | None:
        return None if self.asks else f"{self.name}.aside"

    @property
    def length(self) -> int:
        """The number of messages at which it refuses more."""
        return REQUEST_LENGTH if self.asks else WORK_LENGTH


QUEUES: Final = (
    Queue(
        QueueName.REQUESTS,
        (
            "task.requested",
            "task.cancel_requested",
            "agent.revoke_requested",
            "agent.fork_reported",
            "agent.leave_reported",
            "agent.choose_requested",
        ),
    ),
    Queue(QueueName.REPORTS, ("task.reported",)),
    Queue(QueueName.FETCHES, ("agent.fetched",)),
    Queue(QueueName.OBSERVATIONS, ("agent.observed",)),
    Queue(QueueName.ENROLLED, ("agent.enrolled",)),
    Queue(QueueName.REVEALS, ("rpc.reveal",), asks=True),
    Queue(QueueName.HANDOVERS, ("rpc.hand_over",), asks=True),
    Queue(QueueName.ENROLMENTS, ("rpc.enrol", "rpc.renew"), asks=True),
    Queue(QueueName.PACKAGES, ("rpc.compose",), asks=True),
    Queue(QueueName.CERTIFICATES, ("rpc.certify",), asks=True),
    Queue(QueueName.DECISIONS, ("rpc.settle", "rpc.revoke_token"), asks=True),
)

_KINDS: Final[Mapping[ExchangeName, str]] = {
    ExchangeName.WORK: "direct",
    ExchangeName.NOTICES: "topic",
    ExchangeName.REPLIES: "direct",
    ExchangeName.DEAD: "direct",
}


@dataclass(frozen=True)
class ExchangeSpec:
    """A durable exchange as it is declared."""

    name: str
    kind: str


@dataclass(frozen=True)
class QueueSpec:
    """A durable queue as it is declared, and where it hangs: pairs of exchange and routing key."""

    name: str
    arguments: Mapping[str, str | int]
    bindings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rights:
    """Regular expressions over names of exchanges and queues, in the broker's own sense."""

    configure: str
    write: str
    read: str

    def writes(self, name: str) -> bool:
        """Whether a message may be sent to the exchange of this name on the broker."""
        return re.search(self.write, name) is not None

    def reads(self, name: str) -> bool:
        """Whether the queue of this name may be read, or the exchange be bound to."""
        return re.search(self.read, name) is not None


@dataclass(frozen=True)
class Topology:
    """The names on one broker. `prefix` keeps several Keyturns, or a test, apart on one virtual host."""

    prefix: str = ""

    def name(self, plain: str) -> str:
        """The name on the broker."""
        return f"{self.prefix}{plain}"

    def exchanges(self) -> tuple[ExchangeSpec, ...]:
        return tuple(ExchangeSpec(self.name(name), kind) for name, kind in _KINDS.items())

    def queues(self, service: Service | None = None) -> tuple[QueueSpec, ...]:
        """The durable queues, of all services or of one: each with its aside before it."""
        found: list[QueueSpec] = []
        for queue in QUEUES:
            if service in (None, queue.service):
                found.extend(self.declared(queue.name))
        return tuple(found)

    def declared(self, name: QueueName) -> tuple[QueueSpec, ...]:
        """What must be there before `name` is read: its aside, if it has one, and itself."""
        queue = queue_of(name)
        on_broker = self.name(queue.name)
        arguments: dict[str, str | int] = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-max-length": queue.length,
            "x-overflow": "reject-publish",
        }
        bindings = tuple((self.name(ExchangeName.WORK), each) for each in queue.types)
        if queue.aside is None:
            return (QueueSpec(on_broker, arguments, bindings),)
        dead = self.name(ExchangeName.DEAD)
        # An aside has no length: where it refused messages, the queue before it would stand still.
        aside = QueueSpec(self.name(queue.aside), {"x-queue-type": "quorum"}, ((dead, on_broker),))
        arguments |= {
            "x-dead-letter-exchange": dead,
            "x-dead-letter-routing-key": on_broker,
            "x-dead-letter-strategy": "at-least-once",
        }
        return aside, QueueSpec(on_broker, arguments, bindings)

    def rights(self, service: Service) -> Rights:
        """The least that `service` needs."""
        own = rf"{re.escape(self.name(service))}\."
        work, notices, replies, dead = (re.escape(self.name(each)) for each in ExchangeName)
        if service is Service.GATEWAY:
            return Rights(f"^{own}", f"^({own}.*|{work}|{notices})$", f"^({own}.*|{notices}|{replies})$")
        return Rights(f"^{own}", f"^({own}.*|{work}|{notices}|{replies}|{dead})$", f"^({own}.*|{work}|{dead})$")


def queue_of(name: QueueName) -> Queue:
    """The queue of this name."""
    return next(queue for queue in QUEUES if queue.name == name)


def queue_for(kind: str) -> Queue | None:
    """The queue that takes work of this type; None where there is none."""
    return next((queue for queue in QUEUES if kind in queue.types), None)


def password_hash(password: str, salt: bytes) -> str:
    """RabbitMQ's `rabbit_password_hashing_sha256`: base64 of four bytes of salt and SHA-256 over salt and password."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def definitions(
    passwords: Mapping[str, str],
    topology: Topology | None = None,
    *,
    entropy: Callable[[int], bytes] = secrets.token_bytes,
) -> dict[str, Any]:
    """What RabbitMQ's `load_definitions` takes: everything it needs for Keyturn, on the virtual host `/`.

    Args:
        passwords: One for each service and one for `admin`.
        topology: The names; without prefix unless given.
        entropy: Gives the four bytes of each salt.

    Raises:
        KeyError: a user has no password.
    """
    names = topology or Topology()
    rights = {service.value: names.rights(service) for service in Service}
    rights[ADMINISTRATOR] = Rights(".*", ".*", ".*")
    queues = names.queues()
    return {
        "users": [
            {
                "name": user,
                "password_hash": password_hash(passwords[user], entropy(4)),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": ["administrator"] if user == ADMINISTRATOR else [],
            }
            for user in rights
        ],
        "vhosts": [{"name": "/"}],
        "permissions": [
            {"user": user, "vhost": "/", "configure": each.configure, "write": each.write, "read": each.read}
            for user, each in rights.items()
        ],
        "exchanges": [
            {
                "name": exchange.name,
                "vhost": "/",
                "type": exchange.kind,
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
            for exchange in names.exchanges()
        ],
        "queues": [
            {
                "name": queue.name,
                "vhost": "/",
                "durable": True,
                "auto_delete": False,
                "arguments": dict(queue.arguments),
            }
            for queue in queues
        ],
        "bindings": [
            {
                "source": source,
                "vhost": "/",
                "destination": queue.name,
                "destination_type": "queue",
                "routing_key": key,
                "arguments": {},
            }
            for queue in queues
            for source, key in queue.bindings
        ],
    }
