"""What an agent saw, unasked: its accounts, their fingerprints, its host. Signed like a result."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from libs.wire.encoding import canonical
from libs.wire.ids import AgentId, ObservationId, ResourceId
from libs.wire.jobs import GenerationText, LoginName
from libs.wire.model import Millis, Wire
from libs.wire.results import Fingerprint

MAX_ACCOUNTS = 5_000

Line = Annotated[str, StringConstraints(max_length=200)]


class Kind(StrEnum):
    """What is particular about an account, as the host's files tell it.

    `locked` with `no_password` never had a password (`*`, `!`, `!!`); `locked` alone has one behind a lock mark;
    `no_password` alone has an empty field, so it may open without any.
    """

    LOCKED = "locked"
    EXPIRED = "expired"
    NO_PASSWORD = "no_password"  # noqa: S105 - a kind of account
    NO_LOGIN_SHELL = "no_login_shell"
    ROOT_EQUIVALENT = "root_equivalent"
    SYSTEM = "system"


class SeenAccount(Wire):
    """One local account."""

    name: LoginName
    uid: int = Field(ge=0, lt=2**32)
    gid: int = Field(ge=0, lt=2**32)
    shell: Line = ""
    kinds: tuple[Kind, ...] = ()
    fingerprint: Fingerprint | None = None
    mark: GenerationText | None = None  # the newest generation that this agent's journal knows for the account


class SkippedLine(Wire):
    """A line of the account files that is no account, and the rule that says so."""

    line: int = Field(ge=1)
    rule: Line


class HostFacts(Wire):
    """The machine, in its own words. A hint for people, never an identity."""

    hostname: Line
    system: Line  # such as "Debian GNU/Linux 12 (bookworm)"
    kernel: Line = ""
    machine: Line = ""  # such as x86_64
    libc: Line = ""


class Observation(Wire):
    """Everything at one moment; the newest by `sequence` counts."""

    version: Literal[1] = 1
    id: ObservationId
    agent: AgentId
    resource: ResourceId
    sequence: int = Field(ge=1, lt=2**53)  # the agent's counter, never lower than before unless its disk went back
    seen_at: Millis  # by the agent's clock
    accounts: tuple[SeenAccount, ...] = Field(max_length=MAX_ACCOUNTS)
    skipped: tuple[SkippedLine, ...] = Field(default=(), max_length=200)
    cut: bool = False  # there was more than the bounds allow
    host: HostFacts


def digest(accounts: Iterable[SeenAccount]) -> str:
    """What a session compares, so that an unchanged host sends no observation: SHA-256 in hexadecimal.

    Over the canonical JSON of the sorted [name, uid, fingerprint or "", mark or ""] of every account.
    """
    rows = sorted((each.name, each.uid, each.fingerprint or "", each.mark or "") for each in accounts)
    return hashlib.sha256(canonical(rows)).hexdigest()
