"""A job: what the scheduler tells one agent to do, signed, with every password sealed to that agent.

A job is a list of steps and is self-contained: a file could carry it. An agent takes a job only if the scheduler's task
key signed these exact bytes, the recipient is the hash of its own sealing key, agent and resource are its own, and the
deadline has not passed by the server's clock.
"""

from operator import not_
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from libs.wire.ids import AccountId, AgentId, JobId, ResourceId, TaskId
from libs.wire.model import Millis, Wire
from libs.wire.seal import KeyId, Sealed

MAX_KNOWN = 512
"""Generations that a verify step names as known: the newest ones. An agent's escrow reaches less far back."""

MAX_CANDIDATES = 16
"""Versions in one verify step: newest first. A host that was rolled back further is asked again."""

GenerationText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}\.[0-9]{1,9}$")]
"""A generation, "epoch.counter"."""

Nonce = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{26}$")]
LoginName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""The account's name on its host, surrogate escapes for bytes that are not UTF-8."""


class Candidate(Wire):
    """One password version, sealed to the agent for comparing."""

    generation: GenerationText
    sealed: Sealed


class ResetStep(Wire):
    """Set this password, compare, and keep the escrow copy."""

    kind: Literal["reset"] = "reset"
    account: AccountId
    name: LoginName
    uid: int = Field(ge=0, lt=2**32)
    password: Candidate
    escrow: Sealed  # the same password for the vault and the recovery key: what the agent keeps, and cannot open
    unlock: bool = False  # set the password of a locked account and take its lock away


class VerifyStep(Wire):
    """Compare these passwords, newest first, say which one opens the account, and give back what else is in escrow."""

    kind: Literal["verify"] = "verify"
    account: AccountId
    name: LoginName
    uid: int = Field(ge=0, lt=2**32)
    candidates: tuple[Candidate, ...] = Field(max_length=MAX_CANDIDATES)
    known: tuple[GenerationText, ...] = Field(default=(), max_length=MAX_KNOWN, exclude_if=not_)


Step = Annotated[ResetStep | VerifyStep, Field(discriminator="kind")]


class Job(Wire):
    """One agent's work for one task."""

    version: Literal[1] = 1
    id: JobId
    task: TaskId
    agent: AgentId
    resource: ResourceId
    recipient: KeyId
    nonce: Nonce
    fence: GenerationText  # the newest generation: a verify raises the agent's high-water mark to it
    issued_at: Millis
    deadline: Millis
    steps: tuple[Step, ...] = Field(min_length=1, max_length=16)
