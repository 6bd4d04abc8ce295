"""Identifiers: a prefix that names the noun, and 128 bits in lower-case base32.

A prefix makes an identifier readable in a log and keeps one noun's from being taken for another's. Where a thing is
found again rather than made (an account on a host, the job of a task), its identifier is derived, so that a repeat
meets itself.
"""

import hashlib
import secrets
from base64 import b32encode
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

_BODY = r"[a-z2-7]{26}"

Entropy = Callable[[int], bytes]


class Noun(StrEnum):
    """The prefixes, each used for one noun and never again for another."""

    USER = "usr"
    SESSION = "ses"
    RESOURCE = "res"
    ACCOUNT = "acc"
    AGENT = "agt"
    TASK = "tsk"
    JOB = "job"
    EVENT = "evt"
    AUDIT = "aud"
    TOKEN = "tok"  # noqa: S105 - the prefix of a token's identifier, not a token
    PACKAGE = "pkg"
    OBSERVATION = "obs"
    REPORT = "rpt"
    REQUEST = "req"
    ENROLMENT = "enr"
    INCIDENT = "inc"
    GROUP = "grp"
    SHARE = "shr"
    MEMBERSHIP = "mem"
    ACCESS_TOKEN = "act"  # noqa: S105 - as above


def _pattern(noun: Noun) -> StringConstraints:
    return StringConstraints(pattern=rf"^{noun}_{_BODY}$")


UserId = Annotated[str, _pattern(Noun.USER)]
ResourceId = Annotated[str, _pattern(Noun.RESOURCE)]
AccountId = Annotated[str, _pattern(Noun.ACCOUNT)]
AgentId = Annotated[str, _pattern(Noun.AGENT)]
TaskId = Annotated[str, _pattern(Noun.TASK)]
JobId = Annotated[str, _pattern(Noun.JOB)]
EventId = Annotated[str, _pattern(Noun.EVENT)]
TokenId = Annotated[str, _pattern(Noun.TOKEN)]
PackageId = Annotated[str, _pattern(Noun.PACKAGE)]
ObservationId = Annotated[str, _pattern(Noun.OBSERVATION)]
AccessTokenId = Annotated[str, _pattern(Noun.ACCESS_TOKEN)]
GroupId = Annotated[str, _pattern(Noun.GROUP)]
ShareId = Annotated[str, _pattern(Noun.SHARE)]
EnrolmentId = Annotated[str, _pattern(Noun.ENROLMENT)]
RequestId = Annotated[str, StringConstraints(pattern=rf"^({Noun.TASK}|{Noun.REQUEST})_{_BODY}$")]


def _text(raw: bytes) -> str:
    return b32encode(raw).decode().rstrip("=").lower()


def new_id(noun: Noun, entropy: Entropy = secrets.token_bytes) -> str:
    """A fresh identifier from 16 bytes of entropy."""
    return f"{noun}_{_text(entropy(16))}"


def derived_id(noun: Noun, *parts: str) -> str:
    """The identifier that these parts always have: the first 16 bytes of a SHA-256 over their unambiguous join."""
    digest = hashlib.sha256()
    for part in (noun.value, *parts):
        raw = part.encode("utf-8", "surrogateescape")
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return f"{noun}_{_text(digest.digest()[:16])}"


def account_id(resource: str, name: str, uid: int) -> str:
    """The identifier of a login: on Linux its name and uid, so one that is made anew is another account."""
    return derived_id(Noun.ACCOUNT, resource, f"{uid}:{name}")
