"""Every message that the broker carries: its type, its version, and the identifiers in its body.

Work comes from an outbox and names a document; a notice is a hint that may be lost. A type and version are never used
twice for another meaning; fields are only appended.
"""

from typing import Any, ClassVar, Self

from pydantic import ValidationError

from libs.wire.encoding import canonical
from libs.wire.envelope import Envelope, UnreadableError
from libs.wire.ids import (
    AccountId,
    AgentId,
    Entropy,
    JobId,
    Noun,
    ObservationId,
    RequestId,
    ResourceId,
    TaskId,
    UserId,
    new_id,
)
from libs.wire.model import Wire
from libs.wire.sign import Signed


class Event(Wire):
    """The body of one kind of message."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1

    def envelope(self, now: int, entropy: Entropy | None = None) -> Envelope:
        """This body in an envelope with a fresh identifier; `now` in Unix milliseconds."""
        fresh = new_id(Noun.EVENT, entropy) if entropy else new_id(Noun.EVENT)
        return Envelope(type=self.TYPE, version=self.VERSION, id=fresh, at=now, body=self.model_dump(mode="json"))

    @classmethod
    def read(cls, envelope: Envelope) -> Self:
        """The body of this kind in `envelope`.

        Raises:
            UnreadableError: another type, a version that this reader does not know, or a body of another shape.
        """
        if (envelope.type, envelope.version) != (cls.TYPE, cls.VERSION):
            raise UnreadableError(f"{envelope.type} version {envelope.version}; {cls.TYPE} {cls.VERSION} expected")
        try:
            # Through JSON, because an envelope's body is JSON data: tuples and bytes come back as their own types.
            return cls.model_validate_json(canonical(envelope.body))
        except ValidationError as error:
            raise UnreadableError(f"{envelope.type}: {error.errors()[0]['loc']}") from error


# Work, from an outbox.


class TaskRequested(Event):
    TYPE = "task.requested"
    task: TaskId


class TaskCancelRequested(Event):
    TYPE = "task.cancel_requested"
    request: RequestId


class AgentRevokeRequested(Event):
    TYPE = "agent.revoke_requested"
    request: RequestId


class AgentForkReported(Event):
    TYPE = "agent.fork_reported"
    request: RequestId


class AgentLeaveReported(Event):
    TYPE = "agent.leave_reported"
    request: RequestId


class AgentChooseRequested(Event):
    TYPE = "agent.choose_requested"
    request: RequestId


class TaskReported(Event):
    TYPE = "task.reported"
    job: JobId


class AgentFetched(Event):
    TYPE = "agent.fetched"
    job: JobId


class AgentObserved(Event):
    TYPE = "agent.observed"
    observation: ObservationId


class AgentEnrolled(Event):
    TYPE = "agent.enrolled"
    agent: AgentId


# Requests with an answer: the body is the gateway's signed request, the answer's a model of `libs.wire.requests`.


class Asked(Event):
    signed: Signed


class RevealAsked(Asked):
    TYPE = "rpc.reveal"


class HandOverAsked(Asked):
    TYPE = "rpc.hand_over"


class EnrolAsked(Asked):
    TYPE = "rpc.enrol"


class RenewAsked(Asked):
    TYPE = "rpc.renew"


class ComposeAsked(Asked):
    TYPE = "rpc.compose"


class CertifyAsked(Asked):
    TYPE = "rpc.certify"


class SettleAsked(Asked):
    TYPE = "rpc.settle"


class RevokeTokenAsked(Asked):
    TYPE = "rpc.revoke_token"


class Answered(Event):
    """The answer, as a model's fields, or why there is none."""

    TYPE = "rpc.answer"
    answer: dict[str, Any] | None = None
    declined: dict[str, Any] | None = None


# Notices: hints that may be lost.


class AgentWake(Event):
    TYPE = "agent.wake"
    agent: AgentId


class AgentRevoked(Event):
    TYPE = "agent.revoked"
    agent: AgentId


class TaskChanged(Event):
    TYPE = "task.changed"
    task: TaskId
    requester: UserId | None
    rev: int


class AccountChanged(Event):
    TYPE = "account.changed"
    account: AccountId
    resource: ResourceId
    rev: int


class ResourceChanged(Event):
    TYPE = "resource.changed"
    resource: ResourceId
    rev: int
