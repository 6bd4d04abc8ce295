"""What the rules know of one account: plain frozen values. `rotation` beside it says what may become of them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Self

from libs.wire.reasons import Reason, Remark
from libs.wire.seal import Sealed


class Generation(NamedTuple):
    """A password's number: the epoch (a Unix second at which it began) and a counter in it."""

    epoch: int
    counter: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.counter}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The generation that `text` ("epoch.counter") names."""
        epoch, _, counter = text.partition(".")
        return cls(int(epoch), int(counter))


LAST_COUNTER = 999_999_999
"""The highest counter that travels; what follows it takes the next epoch's number."""

NONE = Generation(0, 0)
"""Below every generation that was ever given."""


class Status(StrEnum):
    UNMANAGED = "unmanaged"
    IN_SYNC = "in_sync"
    PENDING = "pending"
    UNCERTAIN = "uncertain"
    DRIFT = "drift"
    QUARANTINED = "quarantined"


class VersionState(StrEnum):
    ESCROWED = "escrowed"  # in the vault; no agent had it yet
    OFFERED = "offered"  # an agent had it; it may be live
    PROVEN = "proven"  # compared live, once
    REFUSED = "refused"  # compared not live: the host refused it, or the person who stated it was wrong
    WITHDRAWN = "withdrawn"  # taken back before any agent had it
    STATED = "stated"  # a person says that it is live; not compared yet


class Kind(StrEnum):
    RESET = "reset"
    VERIFY = "verify"
    ADOPT = "adopt"  # a person states the live password; it is compared, never set


class Phase(StrEnum):
    QUEUED = "queued"
    OFFERED = "offered"


class End(StrEnum):
    """How a request ended."""

    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    CANNOT_TELL = "cannot_tell"


class ProofKind(StrEnum):
    COMPARISON = "comparison"
    TEST_LOGON = "test_logon"


@dataclass(frozen=True, slots=True)
class Version:
    """One password of the account, sealed; never dropped once it was offered."""

    generation: Generation
    state: VersionState
    created_at: int
    sealed: Sealed | None = None
    offered_at: int | None = None
    proven_at: int | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What was last compared live, when, and how."""

    generation: Generation
    at: int
    kind: ProofKind = ProofKind.COMPARISON


@dataclass(frozen=True, slots=True)
class Seen:
    """What the host showed at a contact: the password field's fingerprint and the agent's high-water mark."""

    fingerprint: str | None
    mark: Generation
    at: int  # when the server received it
    receipt: int = 0


@dataclass(frozen=True, slots=True)
class Flight:
    """The one request that holds the account."""

    task: str
    kind: Kind
    generation: Generation  # of a reset or an adoption: the password's; of a verify: the fence, the newest one
    nonce: str
    requested_at: int
    deadline: int
    phase: Phase = Phase.QUEUED
    offered_at: int | None = None
    lease_until: int | None = None
    skip: int = 0  # of a comparison: how many candidates were compared already
    unlock: bool = False

    @property
    def compares(self) -> bool:
        """Whether it only compares, so that it cannot change what is live."""
        return self.kind is not Kind.RESET


@dataclass(frozen=True, slots=True)
class Ended:
    """A request that ended, for the projection that people see."""

    task: str
    kind: Kind
    end: End
    at: int
    reason: Reason | None = None
    detail: str | None = None
    generation: Generation | None = None
    opens: bool | None = None  # of a comparison: the three-valued answer, None where it cannot be told
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Rotation:
    """Everything the rules know of one account."""

    status: Status = Status.UNMANAGED
    back: Status = Status.UNMANAGED  # where a refused or withdrawn reset returns to
    newest: Generation = NONE  # the last generation given
    proof: Proof | None = None
    versions: tuple[Version, ...] = ()  # newest first
    flight: Flight | None = None
    unanswered: Flight | None = None  # a reset whose answer never came, while UNCERTAIN
    fingerprint: str | None = None  # of the password field at the last comparison
    compared_at: int = 0  # the last comparison, whatever it said
    compared_receipt: int = 0
    seen: Seen | None = None  # the last contact


@dataclass(frozen=True, slots=True)
class Change:
    """The new rotation, and the requests that ended by it."""

    after: Rotation
    ended: tuple[Ended, ...] = field(default=())
