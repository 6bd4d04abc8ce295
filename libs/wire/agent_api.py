"""What an agent and the gateway say to each other under `/agent/v1`. The agent always calls.

    POST /agent/v1/enrol    token, certificate request            -> certificate
    POST /agent/v1/session  signed; contact                       -> a token for polls, ten minutes
    GET  /agent/v1/poll     token; held up to `wait` seconds      -> mail or none, nothing else
    POST /agent/v1/fetch    signed; this fetch is the offer       -> jobs
    POST /agent/v1/report   signed; results                       -> which were stored
    POST /agent/v1/observe  signed; an observation                -> stored
    POST /agent/v1/renew    signed; keys for the next certificate -> certificate
    POST /agent/v1/leave    signed; its last word                 -> it is let go
    POST /agent/v1/runtime  signed; a part of a newer program      -> its bytes
    GET  /agent/v1/notices  anybody; `after` a serial             -> the notices that follow it, oldest first

Every change is signed (`libs.wire.http_signature`) and safe to repeat. Errors are `application/problem+json`.
"""

from operator import not_
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from libs.wire.ids import AgentId, JobId, ResourceId
from libs.wire.model import Base64, Millis, Wire
from libs.wire.notice import Place
from libs.wire.observations import HostFacts
from libs.wire.requests import Hash, Platform, ResourceName, RunName, UserName
from libs.wire.sign import Signed

MAX_BODY = 1_048_576
MAX_HOLD_SECONDS = 50
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
AgentVersion = Annotated[str, StringConstraints(max_length=32)]


EnrolmentToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,128}$")]


class EnrolRequest(Wire):
    version: Literal[1] = 1
    token: EnrolmentToken = Field(repr=False)
    user_name: UserName
    resource_name: ResourceName
    platform: Platform
    csr: Base64 = Field(max_length=8_192)
    host: HostFacts
    agent_version: AgentVersion = ""


class EnrolAnswer(Wire):
    agent: AgentId
    resource: ResourceId
    certificate: Base64  # PEM


class Run(Wire):
    """Which start of the agent says this, and how many signed requests it made: two machines cannot be in one run."""

    id: RunName
    boot: int = Field(ge=1, lt=2**53)
    count: int = Field(ge=1, lt=2**53)
    host_name: Annotated[str, StringConstraints(max_length=253)] = ""  # for people alone


class UpgradeNews(Wire):
    """Why the agent did not take a release that it was offered, or went back from it."""

    release: Annotated[str, StringConstraints(max_length=64)]
    code: Code  # of `libs.wire.reasons.UPGRADES`, or of a newer agent
    detail: Annotated[str, StringConstraints(max_length=200)] = ""


MAX_SAID = 8


class Said(Wire):
    """What went wrong on the agent's side of the line, once or again and again. Times by the host's clock."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,63}$")]  # `libs.wire.troubles`, and reasons
    sentence: Annotated[str, StringConstraints(max_length=300)] = ""
    first_at: Millis
    last_at: Millis
    times: int = Field(default=1, ge=1, le=1_000_000)


class SessionRequest(Wire):
    """A contact: what the agent's disk remembers, so that the server sees when it went back."""

    version: Literal[1] = 1
    agent: AgentId
    agent_version: AgentVersion
    boot: int = Field(ge=1, lt=2**53)  # counts the agent's starts; never lower than before on one disk
    sequence: int = Field(ge=0, lt=2**53)  # of its last observation
    digest: Hash  # over account, fingerprint and mark of every account it sees
    notice: int = Field(default=0, ge=0, lt=2**53, exclude_if=not_)  # serial of the newest that it follows
    place: Place | None = Field(default=None, exclude_if=not_)  # where it found the server, if it moved
    astray: Annotated[str, StringConstraints(max_length=200)] = Field(default="", exclude_if=not_)  # why not there
    clock: Millis | None = Field(default=None, exclude_if=not_)  # the host's own: how far it is off is shown
    run: Run | None = Field(default=None, exclude_if=not_)
    upgrade: UpgradeNews | None = Field(default=None, exclude_if=not_)  # the latest trouble with a newer release
    said: tuple[Said, ...] = Field(default=(), max_length=MAX_SAID, exclude_if=not_)  # what went wrong since the last


class SessionAnswer(Wire):
    token: Annotated[str, StringConstraints(max_length=256)] = Field(repr=False)
    expires_in: int = Field(ge=1, le=3_600)
    hold: int = Field(ge=1, le=MAX_HOLD_SECONDS)  # seconds that a poll may be held
    server_time: Millis
    observe: bool  # the digest is not the one that the server knows: send an observation
    renew: bool = Field(default=False, exclude_if=not_)  # two thirds of the certificate's life are over
    notice: int = Field(default=0, ge=0, lt=2**53, exclude_if=not_)  # serial of a newer one than the agent follows
    upgrade: Signed | None = Field(default=None, exclude_if=not_)  # `ReleaseStatement` of another release than its own


class PollAnswer(Wire):
    mail: bool


class FetchRequest(Wire):
    version: Literal[1] = 1
    agent: AgentId
    run: Run | None = Field(default=None, exclude_if=not_)


class FetchAnswer(Wire):
    jobs: tuple[Signed, ...] = Field(max_length=64)
    observe: bool = Field(default=False, exclude_if=not_)  # somebody asked to look at the accounts again


class ReportRequest(Wire):
    version: Literal[1] = 1
    agent: AgentId
    results: tuple[Signed, ...] = Field(min_length=1, max_length=64)
    run: Run | None = Field(default=None, exclude_if=not_)


class ReportAnswer(Wire):
    stored: tuple[JobId, ...]


class ObserveRequest(Wire):
    version: Literal[1] = 1
    agent: AgentId
    observation: Signed
    run: Run | None = Field(default=None, exclude_if=not_)


class ObserveAnswer(Wire):
    stored: bool


class RenewRequest(Wire):
    """Signed by the present key, whose certificate may have expired: renewing is all that such a one is good for."""

    version: Literal[1] = 1
    agent: AgentId
    renewal: Signed  # `libs.wire.renewal`
    run: Run | None = Field(default=None, exclude_if=not_)


class RenewAnswer(Wire):
    certificate: Base64  # PEM; safe to ask for again with the same keys


class LeaveRequest(Wire):
    version: Literal[1] = 1
    agent: AgentId
    leaving: Signed  # `libs.wire.leaving`
    run: Run | None = Field(default=None, exclude_if=not_)


class LeaveAnswer(Wire):
    left: bool


PIECE_BYTES = 262_144
"""What one answer brings of a runtime: short enough for a slow line, and a cut costs no more than this."""


class RuntimeRequest(Wire):
    """Asks for the bytes of an offered runtime from `offset` on."""

    version: Literal[1] = 1
    agent: AgentId
    runtime: Hash
    offset: int = Field(ge=0, lt=2**32, multiple_of=PIECE_BYTES)
    run: Run | None = Field(default=None, exclude_if=not_)


class RuntimeAnswer(Wire):
    piece: Base64 = Field(max_length=PIECE_BYTES)  # shorter at the end only; they count by the hash of the whole


class Problem(Wire):
    """`application/problem+json` (RFC 9457) with a stable code."""

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = ""
    code: Code
    retry_after: int | None = None  # seconds
    server_time: Millis | None = None  # with clock_skew
    revocation: Signed | None = Field(default=None, exclude_if=not_)  # with agent_revoked: `libs.wire.revocation`
