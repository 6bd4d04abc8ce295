"""What the server answers, as far as people need it. Fields that a newer server appends are passed over."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from libs.wire.observations import Kind
from libs.wire.requests import Platform


class Answer(BaseModel):
    """The base: frozen, and blind to what it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Ref(Answer):
    id: str
    name: str


class User(Answer):
    id: str
    name: str
    role: str
    disabled: bool = False
    created_at: datetime


class SecondFactor(Answer):
    on: bool
    since: datetime | None
    recovery_left: int
    required: bool


class Begun(Answer):
    """A second factor to be confirmed; shown once."""

    secret: str = Field(repr=False)
    address: str = Field(repr=False)


class RecoveryCodes(Answer):
    recovery_codes: tuple[str, ...] = Field(repr=False)


class AccessToken(Answer):
    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    last_address: str


class MadeAccessToken(AccessToken):
    """Shown once."""

    token: str = Field(repr=False)


class Group(Answer):
    id: str
    name: str
    created_at: datetime


class Member(Answer):
    id: str
    name: str
    since: datetime


class Share(Answer):
    id: str
    resource: Ref
    account: Ref | None
    kind: str
    subject: Ref
    level: str
    shared_by: Ref
    created_at: datetime


class SignedIn(Answer):
    token: str
    expires_at: datetime
    user: User


class Until(Answer):
    """A session without its token."""

    user: User
    expires_at: datetime


class OwnSession(Answer):
    id: str
    created_at: datetime
    expires_at: datetime
    address: str
    via: str
    here: bool


class Session(Answer):
    user: User
    created_at: datetime
    expires_at: datetime


class About(Answer):
    name: str
    version: str
    setup_needed: bool
    server_time: datetime


class AgentBrief(Answer):
    id: str
    state: str
    version: str
    last_seen: datetime | None


class Resource(Answer):
    id: str
    name: str
    platform: Platform
    owner: Ref
    agent: AgentBrief | None
    created_at: datetime
    observed_at: datetime | None = None
    cut: bool = False


class Proof(Answer):
    generation: str
    at: datetime
    kind: str


class Version(Answer):
    generation: str
    state: str
    created_at: datetime
    offered_at: datetime | None
    proven_at: datetime | None
    known: str
    candidate: bool


class Flight(Answer):
    task: str | None
    kind: str
    phase: str
    requester: Ref | None
    since: datetime


class Account(Answer):
    """One account; `versions` and `sentences` only where one was asked for."""

    id: str
    name: str
    uid: int
    resource: Ref
    status: str
    sentence: str
    proof: Proof | None
    flight: Flight | None
    kinds: tuple[Kind, ...]
    next_step: str
    versions: tuple[Version, ...] = ()
    sentences: tuple[str, ...] = ()


class Reason(Answer):
    code: str
    happened: str
    means: str
    next: str


class Remark(Answer):
    code: str
    sentence: str


class Task(Answer):
    id: str
    kind: str
    state: str
    open: bool
    sentence: str
    account: Ref
    resource: Ref
    requester: Ref | None
    note: str
    requested_at: datetime
    offered_at: datetime | None
    ended_at: datetime | None
    opens: bool | None
    reason: Reason | None
    detail: str | None
    remarks: tuple[Remark, ...]


class Asked(Answer):
    task: Task
    warnings: tuple[str, ...] = ()


class Notifications(Answer):
    resets: int
    verifies: int
    waiting: int
    items: tuple[Task, ...]


class Package(Answer):
    id: str
    platform: Platform
    user_name: str
    made_by: Ref
    server_name: str
    server_port: int
    uses: int
    uses_left: int
    created_at: datetime
    expires_at: datetime
    sha256: str
    size: int


class Token(Answer):
    """What a package still admits; never the token itself."""

    id: str
    package: str | None
    state: str
    user_names: tuple[str, ...]
    uses: int
    uses_left: int
    host_pattern: str | None
    networks: tuple[str, ...]
    approval: bool
    for_resource: str | None
    created_by: Ref
    created_at: datetime
    expires_at: datetime


class Enrolment(Answer):
    """A machine that waits for a person, or waited."""

    id: str
    state: str
    sentence: str
    host_name: str
    address: str
    key: str
    resource_name: str
    for_resource: Ref | None
    user_name: str
    asked_at: datetime
    decided_at: datetime | None
    decided_by: Ref | None


class Closed(Answer):
    by: Ref
    at: datetime
    reason: str


class Incident(Answer):
    id: str
    kind: str
    at: datetime
    sentence: str
    next: str
    host_name: str
    address: str
    user_name: str
    package: str | None
    token: str | None
    agent: str | None = None
    closed: Closed | None = None


class Machine(Answer):
    run: str
    host_name: str
    address: str
    starts: int
    since: datetime
    last_seen: datetime
    chosen: bool = False


class Upgrade(Answer):
    release: str
    code: str
    happened: str
    next: str
    detail: str


class Said(Answer):
    code: str
    sentence: str
    remedy: str
    first_at: datetime
    last_at: datetime
    times: int


class Agent(Answer):
    id: str
    resource: Ref
    state: str
    version: str
    last_seen: datetime | None
    clock_skew_seconds: int | None = None
    enrolled_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_because: str | None = None
    machines: tuple[Machine, ...] = ()
    upgrade: Upgrade | None = None
    said: tuple[Said, ...] = ()


class Record(Answer):
    id: str
    at: datetime
    service: str
    what: str
    who: Ref | None
    account: str | None
    resource: str | None
    task: str | None
    outcome: str
    reason: str | None
    address: str
    extra: dict[str, Any]
