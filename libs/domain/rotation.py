"""The rotation of one account: the table of what may happen, as pure functions. What the agent decides: `moves`.

    UNMANAGED | IN_SYNC | DRIFT              reset requested               -> PENDING, queued
    PENDING, queued                          fetched                       -> PENDING, offered
    PENDING                                  applied and compared          -> IN_SYNC, proof (g, now)
    PENDING, queued                          withdrawn: cancel, deadline   -> the status before; the version is kept
    PENDING                                  refused, compared not live    -> the status before; the version is kept
    PENDING                                  lost: lease over, cannot tell -> UNCERTAIN, the reset stays unanswered
    UNMANAGED | DRIFT                        adoption: a person states g   -> the same; g is compared, never set
    UNMANAGED                                compared, g opens             -> IN_SYNC, proof (g, now)
    UNMANAGED                                compared, none opens          -> UNMANAGED
    UNCERTAIN                                late "applied"                -> IN_SYNC, proof (g, now)
    UNCERTAIN | IN_SYNC | DRIFT              compared, g opens             -> IN_SYNC, proof (g, now)
    UNCERTAIN | IN_SYNC | DRIFT              compared, none opens          -> DRIFT; UNMANAGED if nothing was proven
    IN_SYNC | DRIFT                          contact speaks against it     -> UNCERTAIN        (`trust` beside this)
    any with a candidate                     re-enrolled, server restored  -> UNCERTAIN        (`trust`)
    any                                      cloned                        -> QUARANTINED      (`trust`)
    QUARANTINED                              released                      -> UNCERTAIN        (`trust`)

A generation is a pair (epoch, counter) and never comes twice, also not after a restore, which begins an epoch. A
version that was ever offered is never dropped here. A timeout is "unknown", never "failed". Each function takes the
account's rotation and the moment, and returns the new one with the requests that ended by it.

`now` is when the gateway received what is decided upon, in Unix milliseconds, and is kept for people. What came first
is decided by `receipt`, which only grows: queues may reorder, and clocks may be put back.
"""

from dataclasses import replace
from functools import reduce

from libs.domain.errors import AlreadyAtAgentError, BusyError, NotNowError, StaleAnswerError
from libs.domain.state import (
    LAST_COUNTER,
    Change,
    End,
    Ended,
    Flight,
    Generation,
    Kind,
    Phase,
    Rotation,
    Seen,
    Status,
    Version,
    VersionState,
)
from libs.domain.versions import candidates, held_against_contact, marked, offered, proven, with_recovered
from libs.wire.jobs import MAX_CANDIDATES
from libs.wire.reasons import Reason, Remark
from libs.wire.seal import Sealed

_COMPARABLE = (Status.IN_SYNC, Status.DRIFT, Status.UNCERTAIN)


def next_generation(r: Rotation, epoch: int) -> Generation:
    """The generation that the next reset gets. An epoch older than the account's own is never used again."""
    if epoch > r.newest.epoch:
        return Generation(epoch, 1)
    if r.newest.counter >= LAST_COUNTER:
        return Generation(r.newest.epoch + 1, 1)
    return Generation(r.newest.epoch, r.newest.counter + 1)


def request_reset(
    r: Rotation,
    *,
    task: str,
    generation: Generation,
    sealed: Sealed,
    nonce: str,
    deadline: int,
    now: int,
    unlock: bool = False,
) -> Change:
    """A reset, escrowed: the vault holds the new password before any agent can see it.

    Raises:
        BusyError: another request holds the account.
        NotNowError: the account is uncertain or quarantined.
    """
    if r.status is Status.UNCERTAIN:
        raise NotNowError(Reason.ACCOUNT_UNCERTAIN)  # also while it is compared: that says more than "busy"
    _hold(r)
    if generation <= r.newest:
        raise ValueError(f"{generation} is not above {r.newest}")
    flight = Flight(task, Kind.RESET, generation, nonce, now, deadline, unlock=unlock)
    version = Version(generation, VersionState.ESCROWED, now, sealed)
    return Change(
        replace(
            r, status=Status.PENDING, back=r.status, newest=generation, versions=(version, *r.versions), flight=flight
        )
    )


def request_verify(r: Rotation, *, task: str, nonce: str, deadline: int, now: int) -> Change:
    """A comparison of every candidate with the live password.

    While uncertain there may be none: the agent is asked for what its escrow holds and the vault does not.

    Raises:
        BusyError: another request holds the account; none is verified while a reset is pending.
        NotNowError: the account is quarantined, or there is nothing to compare.
    """
    _hold(r)
    if r.status not in _COMPARABLE or not (candidates(r) or r.status is Status.UNCERTAIN):
        raise NotNowError(Reason.NOTHING_TO_VERIFY)
    return Change(replace(r, flight=Flight(task, Kind.VERIFY, r.newest, nonce, now, deadline)))


def request_adopt(
    r: Rotation, *, task: str, generation: Generation, sealed: Sealed, nonce: str, deadline: int, now: int
) -> Change:
    """A person states the password that is live: it is kept, and compared with every other candidate, newest first.

    Raises:
        BusyError: another request holds the account.
        NotNowError: the account is quarantined, uncertain, or its password is known.
    """
    if r.status is Status.UNCERTAIN:
        raise NotNowError(Reason.ACCOUNT_UNCERTAIN)
    _hold(r)
    if r.status not in (Status.UNMANAGED, Status.DRIFT):
        raise NotNowError(Reason.PASSWORD_KNOWN)
    if generation <= r.newest:
        raise ValueError(f"{generation} is not above {r.newest}")
    version = Version(generation, VersionState.STATED, now, sealed)
    flight = Flight(task, Kind.ADOPT, generation, nonce, now, deadline)
    return Change(replace(r, newest=generation, versions=(version, *r.versions), flight=flight))


def fetched(r: Rotation, *, task: str, nonce: str, at: int, lease_until: int) -> Change:
    """The agent has the job: from now on its password may be live.

    Raises:
        StaleAnswerError: another request, or another job of this one, is in flight.
    """
    flight = _flight(r, task, nonce)
    if flight.phase is Phase.OFFERED:
        return Change(r)
    at_agent = replace(flight, phase=Phase.OFFERED, offered_at=at, lease_until=lease_until)
    return Change(replace(offered(r, flight, at), flight=at_agent))


def withdrawn(r: Rotation, *, task: str, end: End, reason: Reason, now: int) -> Change:
    """No agent ever had the job and none will: back to the status before; the version is kept.

    The caller has made sure of that first: the job document is withdrawn, or a tombstone stands in its place.

    Raises:
        AlreadyAtAgentError: an agent has it.
        StaleAnswerError: another request is in flight.
    """
    flight = _flight(r, task)
    if flight.phase is Phase.OFFERED:
        raise AlreadyAtAgentError
    ended = Ended(task, flight.kind, end, now, reason, generation=_generation(flight))
    if flight.kind is Kind.VERIFY:
        return Change(replace(r, flight=None), (ended,))
    after = replace(marked(r, flight.generation, VersionState.WITHDRAWN), flight=None)
    if flight.kind is Kind.ADOPT:
        return Change(after, (ended,))
    before = replace(after, status=r.back)
    return Change(held_against_contact(before), (ended,))


def applied(
    r: Rotation,
    *,
    task: str,
    generation: Generation,
    nonce: str,
    now: int,
    receipt: int,
    fingerprint: str | None = None,
    remarks: tuple[Remark, ...] = (),
) -> Change:
    """The agent set the password and compared it live; it counts while its generation is in flight, or unanswered.

    Raises:
        StaleAnswerError: the answer is of another flight, generation or nonce, or the account is quarantined.
    """
    if r.status is Status.QUARANTINED:
        raise StaleAnswerError("quarantined: it is not known which machine says so")
    reset = _reset_in_flight(r, task, generation, nonce)
    after = proven(r, generation, now=now, receipt=receipt, fingerprint=fingerprint)
    ended = [Ended(task, Kind.RESET, End.DONE, now, generation=generation, remarks=remarks)]
    if r.flight is not None and r.flight is not reset:
        # The comparison that was under way is answered by this one: the same password was found live.
        ended.append(Ended(r.flight.task, r.flight.kind, End.DONE, now, generation=generation, opens=True))
    return Change(after, tuple(ended))


def refused(
    r: Rotation,
    *,
    task: str,
    generation: Generation,
    nonce: str,
    now: int,
    receipt: int,
    reason: Reason,
    detail: str | None = None,
    fingerprint: str | None = None,
) -> Change:
    """The host refused, and the new password was compared not live: the status before.

    While uncertain it settles nothing: an older tool may still have applied.

    Raises:
        StaleAnswerError: the answer is of another flight, generation or nonce, or the account is uncertain already.
    """
    flight = _reset_in_flight(r, task, generation, nonce)
    if r.status is not Status.PENDING:
        raise StaleAnswerError("uncertain already; only a comparison settles it")
    after = marked(offered(r, flight, now), generation, VersionState.REFUSED)
    before = _seen_at_refusal(replace(after, status=r.back, flight=None), generation, fingerprint, now, receipt)
    ended = Ended(task, Kind.RESET, End.REFUSED, now, reason, detail, generation)
    return Change(held_against_contact(before), (ended,))


def lost(r: Rotation, *, task: str, now: int) -> Change:
    """No answer came in time, or the agent cannot tell, or it was revoked: unknown, never failed.

    A reset leaves the account UNCERTAIN and stays unanswered until a comparison settles it; a comparison just ends.

    Raises:
        StaleAnswerError: another request is in flight.
    """
    flight = _flight(r, task)
    if flight.compares:
        ended = Ended(task, flight.kind, End.CANNOT_TELL, now, Reason.NO_ANSWER)
        return Change(replace(r, flight=None), (ended,))
    return Change(replace(offered(r, flight, now), status=Status.UNCERTAIN, flight=None, unanswered=flight))


def compared(
    r: Rotation,
    *,
    task: str,
    nonce: str,
    fence: Generation,
    opens: Generation | None,
    next_nonce: str,
    now: int,
    receipt: int,
    fingerprint: str | None = None,
    remarks: tuple[Remark, ...] = (),
    recovered: tuple[Version, ...] = (),
) -> Change:
    """A comparison's answer: which candidate opens the account, or that none of those sent does.

    It counts for the newest episode (nonce) and the newest generation (fence) only. Where more candidates are left than
    one job carries, or the agent's escrow held some that the vault did not know (`recovered`), the flight goes on with
    them under `next_nonce`.

    Raises:
        StaleAnswerError: the answer is of another flight, nonce or fence, or names a version the vault does not hold.
    """
    flight = _flight(r, task, nonce)
    if not flight.compares or fence != r.newest:
        raise StaleAnswerError("of an older episode")
    if opens is not None:
        if all(v.generation != opens for v in candidates(r)):
            raise StaleAnswerError(f"{opens} was never offered")
        ended = [_compared(flight, opens, now, remarks)]
        after = proven(_not_stated(r, opens), opens, now=now, receipt=receipt, fingerprint=fingerprint)
        return Change(with_recovered(after, recovered), (*ended, *_settled(r, opens, now)))
    more = with_recovered(r, recovered)
    done = flight.skip + MAX_CANDIDATES if more is r else 0
    if done < len(candidates(more)):
        again = replace(flight, nonce=next_nonce, skip=done, phase=Phase.QUEUED, offered_at=None, lease_until=None)
        return Change(replace(more, flight=again))
    after = replace(
        _not_stated(r, None),
        status=Status.DRIFT if _ever_proven(r) else Status.UNMANAGED,
        flight=None,
        unanswered=None,
        fingerprint=fingerprint,
        compared_at=now,
        compared_receipt=receipt,
    )
    verdict = _compared(flight, None, now, remarks)
    return Change(held_against_contact(after), (verdict, *_settled(r, None, now)))


def cannot_tell(
    r: Rotation,
    *,
    task: str,
    nonce: str,
    now: int,
    reason: Reason,
    detail: str | None = None,
    recovered: tuple[Version, ...] = (),
) -> Change:
    """The agent could not compare: the status stays as it is.

    What its escrow held and the vault did not know is kept all the same, and makes it UNCERTAIN: it may be live.

    Raises:
        StaleAnswerError: the answer is of another flight or nonce.
    """
    flight = _flight(r, task, nonce)
    if not flight.compares:
        raise StaleAnswerError("not a comparison")
    ended = replace(r, flight=None)
    after = with_recovered(ended, recovered)
    if after is not ended:
        after = replace(after, status=Status.UNCERTAIN)
    return Change(after, (Ended(task, flight.kind, End.CANNOT_TELL, now, reason, detail),))


# ---- parts


def _hold(r: Rotation) -> None:
    if r.status is Status.QUARANTINED:
        raise NotNowError(Reason.ACCOUNT_QUARANTINED)
    if r.flight is not None:
        raise BusyError(r.flight.task)


def _flight(r: Rotation, task: str, nonce: str | None = None) -> Flight:
    if r.flight is None or r.flight.task != task or nonce not in (None, r.flight.nonce):
        raise StaleAnswerError(f"{task} is not in flight")
    return r.flight


def _reset_in_flight(r: Rotation, task: str, generation: Generation, nonce: str) -> Flight:
    for flight in (r.flight, r.unanswered):
        if flight is not None and (flight.task, flight.kind) == (task, Kind.RESET):
            if (flight.generation, flight.nonce) == (generation, nonce):
                return flight
            break
    raise StaleAnswerError(f"{task} with {generation} is not in flight")


def _seen_at_refusal(r: Rotation, generation: Generation, fingerprint: str | None, now: int, receipt: int) -> Rotation:
    """What a refusal tells of the host: a contact, and the first comparison where there was none before."""
    if fingerprint is None:
        return r
    newer = r.seen is not None and r.seen.receipt > receipt
    after = r if newer else replace(r, seen=Seen(fingerprint, generation, now, receipt))
    if r.fingerprint is not None:
        return after
    return replace(after, fingerprint=fingerprint, compared_at=now, compared_receipt=receipt)


def _generation(flight: Flight) -> Generation | None:
    return None if flight.kind is Kind.VERIFY else flight.generation


def _compared(flight: Flight, opens: Generation | None, now: int, remarks: tuple[Remark, ...]) -> Ended:
    """How a comparison ended. An adoption answers for the password that was stated, whatever else was found live."""
    if flight.kind is Kind.ADOPT and opens != flight.generation:
        why = Reason.STATED_NOT_LIVE
        return Ended(flight.task, flight.kind, End.REFUSED, now, why, None, flight.generation, False, remarks)
    return Ended(flight.task, flight.kind, End.DONE, now, generation=opens, opens=opens is not None, remarks=remarks)


def _not_stated(r: Rotation, opens: Generation | None) -> Rotation:
    """What was stated and now compared not live: all newer than what opens, for the newest is compared first."""
    newer = (v for v in r.versions if v.state is VersionState.STATED and (opens is None or v.generation > opens))
    return reduce(lambda after, v: marked(after, v.generation, VersionState.REFUSED), newer, r)


def _ever_proven(r: Rotation) -> bool:
    return r.proof is not None or any(v.state is VersionState.PROVEN for v in r.versions)


def _settled(r: Rotation, opens: Generation | None, now: int) -> tuple[Ended, ...]:
    """The unanswered reset, once a comparison has told what became of it."""
    reset = r.unanswered
    if reset is None:
        return ()
    if opens == reset.generation:
        return (Ended(reset.task, Kind.RESET, End.DONE, now, generation=reset.generation),)
    return (Ended(reset.task, Kind.RESET, End.REFUSED, now, Reason.NO_ANSWER, generation=reset.generation),)
