"""What shakes the trust in what was proven: a contact that speaks against it, a new agent, a restored server, a clone.

Nothing is ever forgotten by it: the account is UNCERTAIN, or QUARANTINED, until a comparison settles it.
"""

from dataclasses import replace

from libs.domain.rotation import lost
from libs.domain.state import NONE, Change, Generation, Phase, Rotation, Seen, Status, Version, VersionState
from libs.domain.versions import candidates, held_against_contact, with_recovered


def contact(
    r: Rotation, *, mark: Generation, fingerprint: str | None, nonce: str, now: int, receipt: int, latest: int
) -> Change:
    """What the host shows at a contact, held against the last comparison: a difference makes the account UNCERTAIN.

    So does a mark that is no generation of the vault's: the server came back from a copy, perhaps has given newer ones
    since, and what the agent holds in escrow is asked for; the comparison's fence ends that. While a reset is pending
    all of it is kept, and held against the status that a refused or withdrawn reset returns to. A comparison under way
    starts anew under `nonce` when the contact shows something new: its answer may be older. `latest` is the newest
    epoch that can have been: an agent knows no number of a later one, whatever it says.
    """
    before = r.seen
    if before is not None:
        if before.receipt > receipt:
            return Change(r)
        if (before.fingerprint, before.mark) == (fingerprint, mark) and before.receipt > r.compared_receipt:
            # Nothing new; but an answer that is still on its way may have been received before it.
            waits = r.flight is not None or r.unanswered is not None
            return Change(replace(r, seen=replace(before, at=now, receipt=receipt)) if waits else r)
    ours = mark in (NONE, r.newest) or any(each.generation == mark for each in r.versions)
    unknown = not ours and mark.epoch <= latest
    after = held_against_contact(replace(r, seen=Seen(fingerprint, mark, now, receipt)))
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


def left(r: Rotation, *, recovered: tuple[Version, ...]) -> Change:
    """The agent left for good, and handed over what it had in escrow.

    What the vault did not know may be the live password, and nobody can compare any more: the account is UNCERTAIN.
    """
    after = with_recovered(r, recovered)
    return Change(r if after is r else _shaken(after))


def _shaken(r: Rotation) -> Rotation:
    if r.status is Status.QUARANTINED:
        return r
    if r.status is Status.PENDING:
        return replace(r, back=Status.UNCERTAIN)
    return replace(r, status=Status.UNCERTAIN)
