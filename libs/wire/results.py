"""What an agent says of a job, signed with the key of its certificate, and self-contained.

An answer counts only for its agent, task, account, generation, nonce and fence (invariant I9). It is three-valued: what
the agent cannot tell it calls unknown, never failed.
"""

from enum import StrEnum
from operator import not_
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from libs.wire.ids import AccountId, AgentId, JobId, TaskId
from libs.wire.jobs import MAX_CANDIDATES, GenerationText, Nonce
from libs.wire.model import Millis, Wire
from libs.wire.reasons import Reason, Remark
from libs.wire.seal import Sealed
from libs.wire.sign import BadSignatureError, Prefix, PublicKey, Signed, verify

Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A keyed hash of the account's password field, with a key that only the agent has: it changes when the field does."""

Detail = Annotated[str, StringConstraints(max_length=300)]
"""What the host said, scrubbed of the password."""


class ResetAnswer(StrEnum):
    APPLIED = "applied"  # set, and compared live
    REFUSED = "refused"  # not set, and the new password was compared not live, or the agent did not begin
    UNKNOWN = "unknown"  # cannot tell


class VerifyAnswer(StrEnum):
    OPENS = "opens"
    DOES_NOT_OPEN = "does_not_open"
    CANNOT_TELL = "cannot_tell"


class ResetOutcome(Wire):
    """What became of a reset step."""

    kind: Literal["reset"] = "reset"
    account: AccountId
    generation: GenerationText
    answer: ResetAnswer
    reason: Reason | None = None
    detail: Detail | None = None
    remarks: tuple[Remark, ...] = ()
    fingerprint: Fingerprint | None = None


class Escrowed(Wire):
    """A version that the agent holds in escrow and was not asked about, as it was sealed to the vault."""

    generation: GenerationText
    sealed: Sealed


class VerifyOutcome(Wire):
    """What a comparison said: which of the candidates opens the account."""

    kind: Literal["verify"] = "verify"
    account: AccountId
    answer: VerifyAnswer
    generation: GenerationText | None = None  # the one that opens
    reason: Reason | None = None
    detail: Detail | None = None
    remarks: tuple[Remark, ...] = ()
    fingerprint: Fingerprint | None = None
    escrow: tuple[Escrowed, ...] = Field(default=(), max_length=MAX_CANDIDATES, exclude_if=not_)  # newest first


Outcome = Annotated[ResetOutcome | VerifyOutcome, Field(discriminator="kind")]


class Result(Wire):
    """The answer to one job."""

    version: Literal[1] = 1
    task: TaskId
    job: JobId
    agent: AgentId
    nonce: Nonce
    fence: GenerationText
    finished_at: Millis  # by the agent's clock; shown, never decided upon
    outcomes: tuple[Outcome, ...] = Field(min_length=1, max_length=16)


def said_by(agent: str, public: PublicKey, signed: Signed) -> Result:
    """The result in these bytes, of this agent, whose certificate holds `public`.

    Raises:
        BadSignatureError: it did not sign this, or what it signed is another one's result, or none.
    """
    try:
        result = Result.model_validate_json(verify(signed, Prefix.RESULT, public))
    except ValidationError as error:
        raise BadSignatureError("signed, but not a result of this version") from error
    if result.agent != agent:
        raise BadSignatureError(f"{agent} signed for {result.agent}")
    return result
