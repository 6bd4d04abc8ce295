"""What shakes the trust in what was proven: a contact that speaks against it, a new agent, a restored server, a clone.

Nothing is ever forgotten by it: the account is UNCERTAIN, or QUARANTINED, until a comparison settles it.
"""

from dataclasses import replace

from libs.domain.deadlines import SECOND
from libs.domain.rotation import lost
from libs.domain.state import NONE, Change, Generation, Phase, Rotation, Seen, Status, VersionState
from libs.domain.versions import candidates, held_against_contact


def contact(r: Rotation, *, mark: Generation, fingerprint: str | None, nonce: str, now: int) -> Change:
    """What the host shows at a contact, held against the last comparison: a difference makes the account UNCERTAIN.

    So does a mark that is no generation of the vault's: the server came back from a copy, perhaps has given newer ones
    since, and what the agent holds in escrow is asked for; the comparison's fence ends that. While a reset is pending
    all of it is kept, and held against the status that a refused or withdrawn reset returns to. A comparison under way
    starts anew under `nonce` when the contact shows something new: its answer may be older.
    """
    before = r.seen
    if before is not None:
        old_news = (before.fingerprint, before.mark) == (fingerprint, mark) and before.at > r.compared_at
        if before.at > now or old_news:
            return Change(r)
    # An agent knows no number that lies in the future, whatever it says.
    ours = mark in (NONE, r.newest) or any(each.generation == mark for each in r.versions)
    unknown = not ours and mark <= Generation(now // SECOND, mark.counter)
    after = held_against_contact(replace(r, seen=Seen(fingerprint, mark, now)))
    if unknown:
        after = _shaken(replace(after, newest=max(r.newest, mark)))
    news = unknown or after.status is not r.status or (before is not None and before.fingerprint != fingerprint)
    if not news or after.flight is None or not after.flight.compares:
        return Change(after)
    return Change(
        replace(
            after,
            flight=replace(after.flight, nonce=nonce, skip=0, phase=Phase.QUEUED, offered_at=None, lease_until=None),
        )
    )


def clock_put_back(r: Rotation, *, now: int) -> Rotation:
    """The rotation without what lies in the future: the clock was ahead when it was written, and has been put right.

    Otherwise every contact would be older than that, and say nothing until the clock comes there. What cannot be
    ordered any more counts as older than the next contact, which at worst causes a comparison too many.
    """
    seen = None if r.seen is not None and r.seen.at > now else r.seen
    compared_at = 0 if r.compared_at > now else r.compared_at
    return replace(r, seen=seen, compared_at=compared_at)


def trust_lost(r: Rotation, *, now: int) -> Change:
    """The agent was enrolled again: what was known is past. Nothing is forgotten."""
    if r.status is Status.QUARANTINED or (not candidates(r) and r.flight is None):
        return Change(r)
    if r.flight is None:
        return Change(replace(r, status=Status.UNCERTAIN))
    change = lost(r, task=r.flight.task, now=now)
    return Change(replace(change.after, status=Status.UNCERTAIN), change.ended)


def restored(r: Rotation, *, epoch: int, now: int) -> Change:
    """The server came back from a copy, in a new epoch: what happened since then is known to agents alone.

    An escrowed version may have reached its agent. An answer may be older than what the copy does not know, so none of
    before proves anything now. And a job that the copy does not know may still wait to be carried out: the comparison
    that follows fences off every older epoch.
    """
    versions = tuple(
        replace(v, state=VersionState.OFFERED, offered_at=now) if v.state is VersionState.ESCROWED else v
        for v in r.versions
    )
    newest = max(r.newest, Generation(epoch, 0)) if r.versions else r.newest
    change = trust_lost(replace(r, versions=versions, newest=newest), now=now)
    reset = change.after.unanswered
    if reset is None:
        return change
    return Change(replace(change.after, unanswered=replace(reset, nonce="")), change.ended)  # no answer fits it


def quarantine(r: Rotation, *, now: int) -> Change:
    """One identity was seen on two machines: nothing is sent to either until a person chooses."""
    if r.status is Status.QUARANTINED:
        return Change(r)
    change = trust_lost(r, now=now)
    return Change(replace(change.after, status=Status.QUARANTINED, back=change.after.status), change.ended)


def release(r: Rotation) -> Change:
    """A person chose one machine: its accounts are compared before anything else."""
    if r.status is not Status.QUARANTINED:
        return Change(r)
    known = candidates(r) or r.newest != NONE
    return Change(replace(r, status=Status.UNCERTAIN if known else Status.UNMANAGED))


def _shaken(r: Rotation) -> Rotation:
    if r.status is Status.QUARANTINED:
        return r
    if r.status is Status.PENDING:
        return replace(r, back=Status.UNCERTAIN)
    return replace(r, status=Status.UNCERTAIN)
