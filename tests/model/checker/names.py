"""Identifiers and passwords of the model, in the shapes that the wire asks for."""

import hashlib
from functools import cache

from libs.domain.state import Version
from libs.wire.ids import account_id
from libs.wire.seal import Box, Sealed

ORIGINAL = "original"
"""What is live when the host is discovered; nobody told the vault."""

FOREIGN = "foreign"
"""What somebody else sets."""

GUESS = "guess"
"""What a person states who is wrong."""


def _padded(text: str) -> str:
    return text.ljust(26, "a")


def _letter(number: int) -> str:
    return chr(ord("b") + number)


ACCOUNT_RESOURCE = f"res_{_padded('ours')}"
OTHER_RESOURCE = f"res_{_padded('theirs')}"
ACCOUNT = account_id(ACCOUNT_RESOURCE, "deploy", 1000)
AGENT = f"agt_{_padded('ours')}"
JOB = f"job_{_padded('any')}"
COMPARISON = f"tsk_{_padded('comparison')}"

LIVE, DEAD, FRESH = (_padded(name) for name in ("live", "dead", "fresh"))
"""The nonce of the comparison in flight; of every earlier one; of the one that a step begins.

A nonce never comes twice, and the rules only ask whether two are equal. So all that are not in flight are one name:
states that differ in dead names alone are one state, and any number of comparisons is a bounded number of states.
"""


def reset_task(number: int) -> str:
    return f"tsk_{_padded('reset' + _letter(number))}"


def reset_nonce(number: int) -> str:
    return _padded("reset" + _letter(number))


def reset_password(number: int) -> str:
    return f"password {number + 1}"


def made(password: str) -> bool:
    """Whether the vault made it. What others set, before and since, is theirs to know."""
    return password.startswith("password ")


def password_of_task(task: str) -> str:
    """The password of a reset, for a vault that did not keep it."""
    return reset_password(ord(task.removeprefix("tsk_reset")[0]) - ord("b"))


def adoption_task(number: int) -> str:
    return f"tsk_{_padded('adopt' + _letter(number))}"


@cache
def sealed(password: str) -> Sealed:
    """The password at rest. The table never looks into it."""
    return Sealed(suite="model", boxes=(Box(recipient="sha256:" + "0" * 64, box=password.encode()),))


def opened(version: Version) -> str | None:
    """The password of a version; None where the vault does not hold it."""
    return None if version.sealed is None else version.sealed.boxes[0].box.decode()


@cache
def fingerprint(password: str) -> str:
    """Of the password field while this password is live."""
    return hashlib.sha256(password.encode()).hexdigest()
