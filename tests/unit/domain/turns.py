"""Short ways from state to state of the table, and the values they use."""

from libs.domain.rotation import (
    applied,
    compared,
    fetched,
    lost,
    next_generation,
    request_adopt,
    request_reset,
    request_verify,
)
from libs.domain.state import Change, Generation, Rotation
from libs.wire.seal import Box, Sealed

NOBODY = Sealed(suite="none", boxes=(Box(recipient="sha256:" + "0" * 64, box=b""),))
EPOCH = 1_000
OLD_PRINT, NEW_PRINT = "a" * 64, "b" * 64


def generation(counter: int) -> Generation:
    return Generation(EPOCH, counter)


def asked(r: Rotation, task: str = "t1", now: int = 10) -> Rotation:
    number = next_generation(r, EPOCH)
    return request_reset(
        r, task=task, generation=number, sealed=NOBODY, nonce="n-" + task, deadline=now + 100, now=now
    ).after


def at_agent(r: Rotation, task: str = "t1", now: int = 20) -> Rotation:
    return fetched(r, task=task, nonce="n-" + task, at=now, lease_until=now + 120).after


def proven(r: Rotation, task: str = "t1", now: int = 30, fingerprint: str = OLD_PRINT) -> Rotation:
    r = at_agent(asked(r, task, now - 20), task, now - 10)
    return applied(
        r, task=task, generation=r.newest, nonce="n-" + task, now=now, receipt=now, fingerprint=fingerprint
    ).after


def proven_by_answer(r: Rotation, now: int) -> Rotation:
    return applied(
        r, task="t1", generation=generation(1), nonce="n-t1", now=now, receipt=now, fingerprint=OLD_PRINT
    ).after


def uncertain(task: str = "t2") -> Rotation:
    """One proven password, and a second one whose answer never came."""
    r = at_agent(asked(proven(Rotation()), task, 40), task, 50)
    return lost(r, task=task, now=200).after


def verifying(r: Rotation, nonce: str = "v1", now: int = 210) -> Rotation:
    return request_verify(r, task="check", nonce=nonce, deadline=now + 100, now=now).after


def answer(r: Rotation, opens: Generation | None, nonce: str = "v1", now: int = 220) -> Change:
    return compared(
        r,
        task="check",
        nonce=nonce,
        fence=r.newest,
        opens=opens,
        next_nonce="v2",
        now=now,
        receipt=now,
        fingerprint=NEW_PRINT,
    )


def stated(r: Rotation, task: str = "check", now: int = 210) -> Rotation:
    number = next_generation(r, EPOCH)
    return request_adopt(r, task=task, generation=number, sealed=NOBODY, nonce="v1", deadline=now + 100, now=now).after


def drifted() -> Rotation:
    return answer(verifying(proven(Rotation())), None).after
