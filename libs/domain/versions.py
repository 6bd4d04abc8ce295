"""What each turn of the table does to an account's versions and its proof."""

from dataclasses import replace

from libs.domain.state import Flight, Generation, Proof, Rotation, Status, Version, VersionState

MAX_RECOVERED = 256
"""An account with so many versions takes no more from escrow."""

_MAY_BE_LIVE = (VersionState.OFFERED, VersionState.PROVEN, VersionState.REFUSED, VersionState.STATED)


def candidates(r: Rotation) -> tuple[Version, ...]:
    """Every password that may be live: ever offered, or stated by a person; newest first."""
    return tuple(v for v in r.versions if v.state in _MAY_BE_LIVE)


def may_be_live(r: Rotation) -> tuple[Version, ...]:
    """What a reveal shows, newest first: while nothing speaks against the proof, the proven password alone.

    While a reset is pending the new one as well, even before its fetch is known; in every other state all candidates.
    """
    if r.proof is not None and r.status is Status.IN_SYNC:
        return tuple(v for v in r.versions if v.generation == r.proof.generation)
    if r.status is not Status.PENDING or r.flight is None:
        return candidates(r)
    if r.proof is not None and r.back is Status.IN_SYNC:
        return tuple(v for v in r.versions if v.generation in (r.flight.generation, r.proof.generation))
    fresh = tuple(v for v in r.versions if v.generation == r.flight.generation)
    return (*fresh, *(v for v in candidates(r) if v not in fresh))


def marked(r: Rotation, generation: Generation, state: VersionState) -> Rotation:
    versions = tuple(replace(v, state=state) if v.generation == generation else v for v in r.versions)
    return replace(r, versions=versions)


def held_against_contact(r: Rotation) -> Rotation:
    """UNCERTAIN where the last contact is newer than the last comparison and speaks against it.

    Also where nothing was ever proven: what a refused first reset left in the vault may have become live.
    """
    held = r.status in (Status.IN_SYNC, Status.DRIFT) or (r.status is Status.UNMANAGED and candidates(r))
    if not held or r.seen is None or r.seen.receipt <= r.compared_receipt:
        return r
    went_back = r.proof is not None and r.seen.mark < r.proof.generation
    changed = r.fingerprint is not None and r.seen.fingerprint != r.fingerprint
    return replace(r, status=Status.UNCERTAIN) if went_back or changed else r


def offered(r: Rotation, flight: Flight, at: int) -> Rotation:
    """The version of a reset's flight, known to have reached an agent."""
    if flight.compares:
        return r
    versions = tuple(
        replace(v, state=VersionState.OFFERED, offered_at=at)
        if v.generation == flight.generation and v.state is VersionState.ESCROWED
        else v
        for v in r.versions
    )
    return replace(r, versions=versions)


def with_recovered(r: Rotation, recovered: tuple[Version, ...]) -> Rotation:
    """With what an agent's escrow held and the vault did not know, each in its place; the same `r` where that is
    nothing.
    """
    known = {v.generation for v in r.versions}
    fresh = {v.generation: v for v in recovered if v.generation not in known}
    room = max(0, MAX_RECOVERED - len(known))  # an agent that invents versions must not fill the vault
    if not fresh or not room:
        return r
    versions = sorted((*r.versions, *list(fresh.values())[:room]), key=lambda v: v.generation, reverse=True)
    return replace(r, versions=tuple(versions), newest=max(r.newest, versions[0].generation))


def proven(r: Rotation, generation: Generation, *, now: int, receipt: int, fingerprint: str | None) -> Rotation:
    """IN_SYNC, unless a contact that was received after `receipt` was taken up before and speaks against it."""
    versions = tuple(
        replace(v, state=VersionState.PROVEN, proven_at=now, offered_at=now if v.offered_at is None else v.offered_at)
        if v.generation == generation
        else v
        for v in r.versions
    )
    after = replace(
        r,
        status=Status.IN_SYNC,
        proof=Proof(generation, now),
        versions=versions,
        flight=None,
        unanswered=None,
        fingerprint=fingerprint,
        compared_at=now,
        compared_receipt=receipt,
    )
    return held_against_contact(after)
