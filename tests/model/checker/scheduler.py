"""The server's record of the account, and every turn that the table lets it take.

A turn is a pure step of the table, folded (`moments`) and held against what each single turn must keep: no request is
lost or ends twice, and no version that an agent may have seen is dropped.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from libs.domain.accounts import Account
from libs.domain.errors import KeyturnError
from libs.domain.rotation import next_generation
from libs.domain.state import Change, End, Generation, Phase, Rotation, Status, Version, VersionState
from libs.domain.versions import candidates
from libs.wire.jobs import MAX_CANDIDATES
from libs.wire.reasons import Reason
from libs.wire.results import Outcome, VerifyAnswer, VerifyOutcome
from libs.wire.sign import BadSignatureError
from tests.model.checker import invariants
from tests.model.checker.messages import Answer, Job
from tests.model.checker.moments import NOW, folded
from tests.model.checker.names import (
    ACCOUNT,
    ACCOUNT_RESOURCE,
    COMPARISON,
    FRESH,
    GUESS,
    LIVE,
    adoption_task,
    fingerprint,
    opened,
    password_of_task,
    reset_nonce,
    reset_password,
    reset_task,
    sealed,
)
from tests.model.checker.rules import Rules
from tests.model.checker.server import Server
from tests.model.checker.signatures import Said, read, said


class Turn(NamedTuple):
    """A step of the server: how it is told, what it leaves, and what it broke."""

    label: str
    after: Server
    ends_comparison: bool = False  # the nonce in flight is dead from now on
    broken: str = ""


# ---- requests of people


def reset(server: Server, rules: Rules, *, number: int, epoch: int) -> Turn | None:
    """The `number`-th reset, from 0 on."""
    r = server.r
    generation = next_generation(r, epoch)
    return _turn(
        server,
        f"person: asks for a reset, {generation}",
        lambda: rules.request_reset(
            r,
            task=reset_task(number),
            generation=generation,
            sealed=sealed(reset_password(number)),
            nonce=reset_nonce(number),
            deadline=NOW,
            now=NOW,
        ),
    )


def adopt(server: Server, rules: Rules, *, number: int, epoch: int, live: str) -> Iterator[Turn]:
    """A person states the live password, or is wrong."""
    r = server.r
    generation = next_generation(r, epoch)
    for password, told in ((live, "states the live password"), (GUESS, "states a wrong password")):
        turn = _turn(
            server,
            f"person: {told}, {generation}",
            partial(
                rules.request_adopt,
                r,
                task=adoption_task(number),
                generation=generation,
                sealed=sealed(password),
                nonce=FRESH,
                deadline=NOW,
                now=NOW,
            ),
        )
        if turn is not None:
            yield turn


def check(server: Server, rules: Rules) -> Turn | None:
    """A person asks whether the password is live."""
    return _turn(server, "person: asks for a comparison", lambda: _verify(server, rules))


def cancel(server: Server, rules: Rules) -> Turn | None:
    """A person takes the request back, or its deadline passes, before an agent had its job."""
    flight = server.r.flight
    if flight is None or flight.phase is Phase.OFFERED:
        return None
    return _turn(
        server,
        "person: cancels in time",
        lambda: rules.withdrawn(server.r, task=flight.task, end=End.CANCELLED, reason=Reason.CANCELLED, now=NOW),
    )


def release(server: Server, rules: Rules) -> Turn | None:
    """A person chose one of two machines."""
    if server.r.status is not Status.QUARANTINED:
        return None
    return _turn(server, "person: releases the account", lambda: rules.release(server.r))


# ---- what the scheduler does by itself


def compare(server: Server, rules: Rules) -> Turn | None:
    """The comparison that an uncertain account waits for."""
    if server.r.status is not Status.UNCERTAIN or server.r.flight is not None:
        return None
    return _turn(server, "server: begins a comparison", lambda: _verify(server, rules))


def learn(server: Server, rules: Rules) -> Turn | None:
    """The agent has the job of the flight."""
    flight = server.r.flight
    if flight is None or flight.phase is Phase.OFFERED:
        return None
    return _turn(
        server,
        "server: learns of the fetch",
        lambda: rules.fetched(server.r, task=flight.task, nonce=flight.nonce, at=NOW, lease_until=NOW),
    )


def lease_over(server: Server, rules: Rules) -> Turn | None:
    """No answer came in time."""
    flight = server.r.flight
    if flight is None or flight.phase is Phase.QUEUED:
        return None
    return _turn(server, "server: the lease is over", lambda: rules.lost(server.r, task=flight.task, now=NOW))


def job(server: Server) -> Job | None:
    """The job of the flight, as its bytes will say it for ever."""
    r, flight = server.r, server.r.flight
    if flight is None:
        return None
    if flight.compares:
        asked = candidates(r)[flight.skip : flight.skip + MAX_CANDIDATES]
    else:
        asked = tuple(v for v in r.versions if v.generation == flight.generation)
    known = tuple((v.generation, opened(v) or password_of_task(flight.task)) for v in asked)
    job = Job(flight.task, flight.nonce, r.newest, known, resets=not flight.compares)
    return job._replace(known=tuple(v.generation for v in r.versions)) if flight.compares else job


# ---- what comes from the host


def shown(server: Server, rules: Rules, *, mark: Generation, password: str, now: int) -> Turn | None:
    """A contact: what the host shows."""
    if not server.r.versions:
        return None
    print_ = fingerprint(password)
    return _turn(
        server,
        f"contact: mark {mark}, the field of {password!r}",
        lambda: rules.contact(server.r, mark=mark, fingerprint=print_, nonce=FRESH, now=now, receipt=now, latest=NOW),
    )


def believe(server: Server, rules: Rules, answer: Answer, *, now: int, by: Said | None = None) -> Turn | None:
    """An answer is taken up: its bytes are checked, and then decided upon. `by`: who said it, if not the agent."""
    told = answer.answer.value if answer.generation is None else f"{answer.generation} {answer.answer.value}"
    return _turn(
        server,
        f"server: is answered: {told}",
        lambda: _answered(server.r, rules, by or said(answer), now),
        fresh=answer.fresh if answer.answer is not VerifyAnswer.CANNOT_TELL else None,
    )


# ---- what shakes the server


def enrolled_again(server: Server, rules: Rules) -> Turn | None:
    return _turn(server, "FAULT: the agent is wiped and enrolled again", lambda: rules.trust_lost(server.r, now=NOW))


def cloned(server: Server, rules: Rules) -> Turn | None:
    if server.r.status is Status.QUARANTINED:
        return None
    return _turn(server, "FAULT: the identity is seen on two machines", lambda: rules.quarantine(server.r, now=NOW))


def restored(kept: Server, rules: Rules, *, epoch: int) -> Turn | None:
    """The server comes back from a copy, into a new epoch."""
    return _turn(kept, "FAULT: the server is restored", lambda: rules.restored(kept.r, epoch=epoch, now=NOW))


# ---- parts


def _verify(server: Server, rules: Rules) -> Change:
    return rules.request_verify(server.r, task=COMPARISON, nonce=FRESH, deadline=NOW, now=NOW)


def _answered(r: Rotation, rules: Rules, by: Said, now: int) -> Change:
    result = read(rules.said_by, by)
    (outcome,) = result.outcomes
    return rules.answered(
        _account(r),
        result,
        outcome,
        resource=by.resource,
        next_nonce=FRESH,
        now=now,
        receipt=now,
        recovered=_recovered(outcome),
    )


def _recovered(outcome: Outcome) -> tuple[Version, ...]:
    """What the agent's escrow held beside the known versions; the model's vault opens whatever was sealed to it."""
    held = outcome.escrow if isinstance(outcome, VerifyOutcome) else ()
    return tuple(Version(Generation.parse(e.generation), VersionState.OFFERED, NOW, e.sealed, NOW) for e in held)


def _account(r: Rotation) -> Account:
    return Account(
        id=ACCOUNT,
        resource=ACCOUNT_RESOURCE,
        name="deploy",
        uid=1000,
        gid=1000,
        shell="/bin/sh",
        kinds=(),
        seen_at=NOW,
        vanished_at=None,
        rotation=r,
        ended=(),
        due_at=None,
        rev=1,
    )


def _turn(server: Server, label: str, rule: Callable[[], Change], *, fresh: bool | None = None) -> Turn | None:
    """The turn by a rule; None where the rules say no."""
    try:
        change = rule()
    except (KeyturnError, BadSignatureError):
        return None
    before, raw = server.r, change.after
    compared = fresh is not None and raw.proof != before.proof and raw.proof is not None
    after = Server(
        folded(raw),
        proven=server.proven or compared,
        fresh=bool(fresh) if compared else server.fresh,
    )
    ended = before.flight is not None and before.flight.nonce == LIVE
    ended = ended and (raw.flight is None or raw.flight.nonce != LIVE)
    return Turn(label, after, ended, invariants.of_turn(before, change, answers=fresh is not None))
