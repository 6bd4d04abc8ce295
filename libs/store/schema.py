"""Databases, collections, indexes and rights, as data. An administrator applies them; a service never does.

There is one database per right, because an embedded store enforces users by database and action, not by collection.
The gateway faces people and agents, so what it may write is kept apart from what it may only read: it can put a signed
request on the desk and move a job in the mail, and it can change no account, no certificate and no written audit.

A collection lists its indexes because each query must be served by one: an unindexed query reads the whole collection,
which the store's users notice only when it has grown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Database(StrEnum):
    """One per right."""

    PEOPLE = "people"
    DESK = "desk"
    MAIL = "mail"
    VAULT = "vault"
    TRUST = "trust"
    AUDIT_GATEWAY = "audit_gateway"
    AUDIT_SCHEDULER = "audit_scheduler"
    AUDIT_BUNDLER = "audit_bundler"


class Service(StrEnum):
    """Who has a user of its own in the store."""

    GATEWAY = "gateway"
    SCHEDULER = "scheduler"
    BUNDLER = "bundler"


ADMINISTRATOR = "admin"
"""The store's user that may create collections, users and roles; no service is it."""


class Action(StrEnum):
    """What a right allows, by the store's own names."""

    FIND = "find"
    INSERT = "insert"
    UPDATE = "update"
    REMOVE = "remove"


class CollectionName(StrEnum):
    """Every collection, as `database.collection`."""

    USERS = "people.users"
    SESSIONS = "people.sessions"
    SETUP = "people.setup"
    PRESENCE = "people.presence"
    NONCES = "people.nonces"
    CLOSINGS = "people.closings"
    RUNS = "people.runs"
    GROUPS = "people.groups"
    MEMBERS = "people.members"
    SHARES = "people.shares"
    FACTORS = "people.factors"
    ACCESS_TOKENS = "people.access_tokens"
    REPLAYS = "people.replays"
    REQUESTS = "desk.requests"
    RESULTS = "desk.results"
    OBSERVATIONS = "desk.observations"
    RECEIPTS = "desk.receipts"
    JOBS = "mail.jobs"
    ACCOUNTS = "vault.accounts"
    TASKS = "vault.tasks"
    RESOURCES = "vault.resources"
    AGENTS = "vault.agents"
    EPOCH = "vault.epoch"
    BUDGETS = "vault.budgets"
    FORKS = "vault.incidents"
    CERTIFICATES = "trust.certificates"
    TOKENS = "trust.tokens"
    PACKAGES = "trust.packages"
    ENROLMENTS = "trust.enrolments"
    INCIDENTS = "trust.incidents"
    RUNTIMES = "trust.runtimes"
    CHUNKS = "trust.chunks"
    AUDIT_GATEWAY = "audit_gateway.records"
    AUDIT_SCHEDULER = "audit_scheduler.records"
    AUDIT_BUNDLER = "audit_bundler.records"

    @property
    def database(self) -> Database:
        return Database(self.partition(".")[0])

    @property
    def collection(self) -> str:
        return self.partition(".")[2]


@dataclass(frozen=True)
class Index:
    """Ascending on `fields`, in their order. `ttl` is for one date field: a document goes soon after that moment.

    Soon means within about a minute: a reader still compares the date itself.
    """

    fields: tuple[str, ...]
    unique: bool = False
    ttl: bool = False


def _on(*fields: str) -> Index:
    return Index(fields)


def _unique(*fields: str) -> Index:
    return Index(fields, unique=True)


_OUTBOX = _on("outbox.at")
_EXPIRES = Index(("expires",), ttl=True)
_AUDIT = (
    _on("at"),
    _on("account", "at"),
    _on("who.id", "at"),
    _on("task", "at"),
    _unique("seq"),
)

INDEXES: Mapping[CollectionName, tuple[Index, ...]] = MappingProxyType(
    {
        CollectionName.USERS: (_unique("name"), _on("created_at")),
        CollectionName.SESSIONS: (_EXPIRES, _on("user")),
        CollectionName.SETUP: (),
        CollectionName.PRESENCE: (_on("last_seen"),),
        CollectionName.NONCES: (_EXPIRES,),
        CollectionName.CLOSINGS: (),
        CollectionName.RUNS: (),
        CollectionName.GROUPS: (_unique("name"), _on("created_at")),
        CollectionName.MEMBERS: (_on("group", "name"), _on("user")),
        CollectionName.FACTORS: (),
        CollectionName.REPLAYS: (_EXPIRES,),
        CollectionName.ACCESS_TOKENS: (_EXPIRES, _on("user")),
        CollectionName.SHARES: (_on("resource", "created_at"), _on("subject", "resource_at")),
        CollectionName.REQUESTS: (_OUTBOX, _on("taken", "created_at"), _on("created_at")),
        CollectionName.RESULTS: (_OUTBOX, _on("taken", "created_at"), _on("job"), _on("created_at")),
        CollectionName.OBSERVATIONS: (_OUTBOX, _on("taken", "created_at"), _on("agent", "created_at")),
        CollectionName.RECEIPTS: (),
        CollectionName.JOBS: (_OUTBOX, _on("agent", "state"), _on("state", "created_at"), _on("task")),
        CollectionName.ACCOUNTS: (
            _OUTBOX,
            _on("resource", "name"),
            _on("name", "resource"),
            _on("rotation.status", "resource"),
            _on("due_at"),
            _on("ended.at"),
        ),
        CollectionName.TASKS: (
            _OUTBOX,
            _on("created_at"),
            _on("requester.id", "created_at"),
            _on("account", "created_at"),
            _on("requester.id", "state"),
            _on("state", "created_at"),
            _on("group", "created_at"),
        ),
        CollectionName.RESOURCES: (
            _OUTBOX,
            _on("created_at"),
            _on("name"),
            _on("owner", "created_at"),
            _on("owner", "name"),
            _on("agent"),
        ),
        CollectionName.AGENTS: (_on("revoked_at"), _on("quarantined_at")),
        CollectionName.EPOCH: (),
        CollectionName.BUDGETS: (_EXPIRES,),
        CollectionName.FORKS: (_on("created_at"), _on("seen_by", "created_at")),
        CollectionName.CERTIFICATES: (
            _OUTBOX,
            _on("agent"),
            _on("resource"),
            _on("key_hash"),
            _on("state", "created_at"),
            _on("created_at"),
        ),
        CollectionName.TOKENS: (_unique("sha256"), _on("created_at"), _on("created_by", "created_at")),
        CollectionName.ENROLMENTS: (
            _on("created_at"),
            _on("state", "created_at"),
            _on("approver", "created_at"),
            _on("approver", "state", "created_at"),
        ),
        CollectionName.INCIDENTS: (_on("created_at"), _on("seen_by", "created_at")),
        CollectionName.PACKAGES: (_on("created_at"), _on("created_by", "created_at")),
        CollectionName.RUNTIMES: (_on("created_at"), _on("platform", "created_at")),
        CollectionName.CHUNKS: (_unique("runtime", "n"),),
        CollectionName.AUDIT_GATEWAY: _AUDIT,
        CollectionName.AUDIT_SCHEDULER: _AUDIT,
        CollectionName.AUDIT_BUNDLER: _AUDIT,
    }
)

_READ = frozenset({Action.FIND})
_TAKE = frozenset({Action.FIND, Action.UPDATE})
_PUT = frozenset({Action.FIND, Action.INSERT, Action.UPDATE})
_WRITE = frozenset(Action)
_RECORD = frozenset({Action.FIND, Action.INSERT})

RIGHTS: Mapping[Service, Mapping[Database, frozenset[Action]]] = MappingProxyType(
    {
        Service.GATEWAY: MappingProxyType(
            {
                Database.PEOPLE: _WRITE,
                Database.DESK: _PUT,
                Database.MAIL: _TAKE,
                Database.VAULT: _READ,
                Database.TRUST: _READ,
                Database.AUDIT_GATEWAY: _RECORD,
                Database.AUDIT_SCHEDULER: _READ,
                Database.AUDIT_BUNDLER: _READ,
            }
        ),
        Service.SCHEDULER: MappingProxyType(
            {
                Database.DESK: _TAKE,
                Database.MAIL: _WRITE,
                Database.VAULT: _WRITE,
                Database.TRUST: _READ,
                Database.AUDIT_SCHEDULER: _RECORD,
            }
        ),
        Service.BUNDLER: MappingProxyType(
            {
                Database.TRUST: _WRITE,
                Database.AUDIT_BUNDLER: _RECORD,
            }
        ),
    }
)

OUTBOXES: Mapping[Service, tuple[CollectionName, ...]] = MappingProxyType(
    {
        Service.GATEWAY: (
            CollectionName.REQUESTS,
            CollectionName.RESULTS,
            CollectionName.OBSERVATIONS,
            CollectionName.JOBS,
        ),
        Service.SCHEDULER: (CollectionName.ACCOUNTS, CollectionName.TASKS, CollectionName.RESOURCES),
        Service.BUNDLER: (CollectionName.CERTIFICATES,),
    }
)
"""Whose relay empties the outbox of which collections."""

AUDITS: Mapping[Service, CollectionName] = MappingProxyType(
    {
        Service.GATEWAY: CollectionName.AUDIT_GATEWAY,
        Service.SCHEDULER: CollectionName.AUDIT_SCHEDULER,
        Service.BUNDLER: CollectionName.AUDIT_BUNDLER,
    }
)
"""Where each service records what it did."""


def allowed(service: Service, name: CollectionName, action: Action) -> bool:
    """Whether the rights table lets `service` do `action` on the database of `name`."""
    return action in RIGHTS[service].get(name.database, frozenset())
