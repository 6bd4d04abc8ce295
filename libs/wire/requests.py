"""What the gateway asks of scheduler and bundler: the exact bytes of a request, signed with the gateway's request key.

The receiver trusts only these bytes: not the document or the message around them. The identifier inside must be the one
it was asked by, and a request whose deadline has passed is never carried out. A person's own signature (a passkey) will
one day stand beside the gateway's, which is why the canonical bytes are kept.
"""

from enum import StrEnum
from ipaddress import ip_network
from operator import not_
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from libs.wire.ids import (
    AccountId,
    AgentId,
    EnrolmentId,
    PackageId,
    RequestId,
    ResourceId,
    TaskId,
    TokenId,
    UserId,
)
from libs.wire.jobs import GenerationText
from libs.wire.model import Base64, Millis, Wire
from libs.wire.observations import HostFacts
from libs.wire.seal import Sealed
from libs.wire.sign import Signed

UserName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$")]
ResourceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
RunName = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""One start of an agent, by a random name."""

Note = Annotated[str, StringConstraints(max_length=500)]
RevokeReason = Annotated[str, StringConstraints(min_length=1, max_length=500)]
ServerName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$")]
HostPattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._*?\[\]!-]{1,253}$")]
"""Host names as a shell would match them, such as dmz-*; upper and lower case are the same."""


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("a network is its first address and a length, such as 10.20.0.0/16 or 2001:db8::/32") from None


Network = Annotated[str, StringConstraints(max_length=64), AfterValidator(_network)]


class Platform(StrEnum):
    """What a package is built for."""

    LINUX = "linux"
    WINDOWS = "windows"
    WINDOWS_DOMAIN = "windows-domain"


class Person(Wire):
    """Who asked, as the gateway signed them in."""

    id: UserId
    name: UserName
    via: Literal["page", "api", "command"] = "api"
    address: Annotated[str, StringConstraints(max_length=64)] = ""


class Policy(Wire):
    """How a password is generated: its length and what it is made of."""

    length: int = Field(default=24, ge=12, le=128)
    alphabet: Literal["keyboard-safe", "letters-digits", "full"] = "keyboard-safe"


class ResetContent(Wire):
    """Change an account's password: to a typed one (sealed to the vault), or to a generated one."""

    kind: Literal["reset"] = "reset"
    account: AccountId
    typed: Sealed | None = None  # bound to (account, task, "request")
    policy: Policy = Policy()
    unlock: bool = False
    note: Note = ""


class VerifyContent(Wire):
    """Compare the stored password with the live one."""

    kind: Literal["verify"] = "verify"
    account: AccountId
    note: Note = ""


class AdoptContent(Wire):
    """Take over an account whose live password a person states: it is compared, never set."""

    kind: Literal["adopt"] = "adopt"
    account: AccountId
    typed: Sealed  # bound to (account, task, "request")
    note: Note = ""


class CancelContent(Wire):
    """Take a task back while no agent has it."""

    kind: Literal["cancel"] = "cancel"
    task: TaskId


class RevealContent(Wire):
    """Seal the candidates of an account to the key that the person's browser or command made for this request."""

    kind: Literal["reveal"] = "reveal"
    account: AccountId
    recipient: Base64 = Field(min_length=32, max_length=32)  # X25519, raw
    gateway_key: bool = False  # the gateway made the key, because scripts are off; the audit says so
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class EnrolContent(Wire):
    """Admit an agent: its token by hash, its certificate request, and under whom its machine is added."""

    kind: Literal["enrol"] = "enrol"
    token: Hash
    csr: Base64 = Field(max_length=8_192)  # DER, with the sealing key in the private extension
    owner: UserId
    owner_name: UserName
    resource_name: ResourceName
    platform: Platform
    host: HostFacts
    address: Annotated[str, StringConstraints(max_length=64)] = ""
    agent_version: Annotated[str, StringConstraints(max_length=32)] = ""


class TokenBounds(Wire):
    """What an enrolment token admits."""

    uses: int = Field(default=1, ge=1, le=10_000)
    lifetime_seconds: int = Field(default=86_400, ge=1, le=31_536_000)
    user_names: tuple[UserName, ...] = Field(min_length=1, max_length=100)
    host_pattern: HostPattern | None = Field(default=None, exclude_if=not_)  # what the machine must call itself
    networks: tuple[Network, ...] = Field(default=(), max_length=50, exclude_if=not_)  # where the gateway must see it
    approval: bool = Field(default=False, exclude_if=not_)  # each enrolment waits for a person
    resource: ResourceId | None = Field(
        default=None, exclude_if=not_
    )  # which known one it is for; then approval counts


class SettleContent(Wire):
    """Approve or deny an enrolment that waits: this key, for this resource. An approval stays with the certificate."""

    kind: Literal["settle"] = "settle"
    enrolment: EnrolmentId
    approve: bool
    resource: ResourceId
    key_hash: Hash


class RevokeTokenContent(Wire):
    """End an enrolment token before its time. Agents that enrolled by it stay."""

    kind: Literal["revoke_token"] = "revoke_token"
    token: TokenId


class RevokeAgentContent(Wire):
    """End an agent: nothing that it signs counts any more, and nothing is sent to it."""

    kind: Literal["revoke_agent"] = "revoke_agent"
    agent: AgentId
    reason: RevokeReason


class LeaveContent(Wire):
    """An agent leaves by its own word: as when it is revoked, once the vault has what only that machine knew."""

    kind: Literal["leave"] = "leave"
    agent: AgentId
    leaving: Signed  # `libs.wire.leaving`


class ForkSide(Wire):
    """One of two runs that both go on."""

    run: RunName
    boot: int
    host_name: Annotated[str, StringConstraints(max_length=253)] = ""
    address: Annotated[str, StringConstraints(max_length=64)] = ""
    last: Millis


class ForkContent(Wire):
    """One identity was heard on two machines: nothing is sent to either until a person chooses."""

    kind: Literal["fork"] = "fork"
    agent: AgentId
    sides: tuple[ForkSide, ...] = Field(min_length=2, max_length=16)


class ChooseContent(Wire):
    """Of two machines with one identity a person chose this run's; the other's keys end when it has renewed its own."""

    kind: Literal["choose"] = "choose"
    agent: AgentId
    fork: RequestId
    run: RunName
    reason: RevokeReason


class HandOverContent(Wire):
    """Give a resource to another owner."""

    kind: Literal["hand_over"] = "hand_over"
    resource: ResourceId
    owner: UserId
    owner_name: UserName


class ComposeContent(Wire):
    """Compose a package: mint its token, and make what follows the runtime in the zip."""

    kind: Literal["compose"] = "compose"
    package: PackageId
    token: TokenId
    platform: Platform
    server_name: ServerName
    server_port: int = Field(ge=1, le=65_535)
    schedule_interval: int = Field(default=60, ge=5, le=86_400)
    user_name: UserName
    bounds: TokenBounds
    recipient: Base64 = Field(min_length=32, max_length=32)  # X25519, raw: the gateway's key for this request


class RenewContent(Wire):
    """Certify an agent's next keys, for which its present key speaks."""

    kind: Literal["renew"] = "renew"
    agent: AgentId
    renewal: Signed  # `libs.wire.renewal`
    address: Annotated[str, StringConstraints(max_length=64)] = ""


class CertifyContent(Wire):
    """Issue the gateway's own certificate."""

    kind: Literal["certify"] = "certify"
    csr: Base64 = Field(max_length=8_192)
    names: tuple[ServerName, ...] = Field(min_length=1, max_length=50)


Content = Annotated[
    ResetContent
    | VerifyContent
    | AdoptContent
    | CancelContent
    | RevealContent
    | EnrolContent
    | ComposeContent
    | CertifyContent
    | SettleContent
    | RevokeTokenContent
    | RevokeAgentContent
    | LeaveContent
    | ForkContent
    | ChooseContent
    | RenewContent
    | HandOverContent,
    Field(discriminator="kind"),
]
TaskContent = ResetContent | VerifyContent | AdoptContent
"""What becomes a task, which holds its account and which people follow."""


class Request(Wire):
    """One request."""

    version: Literal[1] = 1
    id: RequestId  # of a task's content: the task's
    issued_at: Millis
    deadline: Millis
    person: Person | None  # none: the gateway itself, or an agent that it speaks for
    resource: ResourceId | None = None
    content: Content


class RevealedVersion(Wire):
    """One candidate, sealed to the asking person's key under (account, generation, "reveal")."""

    generation: GenerationText
    state: Annotated[str, StringConstraints(max_length=32)]
    created_at: Millis
    first_offered_at: Millis | None = None
    proven_at: Millis | None = None
    sealed: Sealed


class Revealed(Wire):
    """The scheduler's answer to a reveal: every password that may be live, newest first."""

    account: AccountId
    status: Annotated[str, StringConstraints(max_length=32)]
    versions: tuple[RevealedVersion, ...]


class Enrolled(Wire):
    """The bundler's answer to an enrolment."""

    agent: Annotated[str, StringConstraints(pattern=r"^agt_[a-z2-7]{26}$")]
    resource: ResourceId
    certificate: Base64  # PEM


class Settled(Wire):
    """The bundler's answer to a person's decision on an enrolment."""

    enrolment: EnrolmentId
    approved: bool


class TokenRevoked(Wire):
    """The bundler's answer: the token admits nobody any more."""

    token: TokenId


class HandedOver(Wire):
    """The scheduler's answer: the resource is this person's."""

    resource: ResourceId
    owner: UserId


class Renewed(Wire):
    """The bundler's answer to a renewal."""

    certificate: Base64  # PEM


class Composed(Wire):
    """The bundler's answer to a package: the tail of the zip, sealed, because it holds the plain token."""

    package: PackageId
    runtime: Hash  # which runtime's bytes come first
    prefix_bytes: int
    tail: Base64  # HPKE box under (package, token, "package") to the gateway's key for this request
    runtime_version: Annotated[str, StringConstraints(max_length=64)]
    expires_at: Millis


class Certified(Wire):
    """The bundler's answer to the gateway's certificate request."""

    certificate: Base64  # PEM, leaf first


class Declined(Wire):
    """Why a request was not carried out: a stable code and a sentence."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
    sentence: Annotated[str, StringConstraints(max_length=500)]
    retryable: bool = False
