"""What must hold in each state, and across each turn of the server.

    I1  once a password was proven, the live one is in the vault, or in the agent's escrow, or the vault never made it
    I2  IN_SYNC rests on a comparison that found this password live; since then no fault changed it, and no contact that
        came after the comparison speaks against it
    I3  the agent never works on a generation older than the proven one
    I4  one effect a generation: the agent never works on a reset that has ended
    I5  each request ends once, or is open
    I6  a version that an agent may have seen is never dropped, and stays a candidate
    I7  one offerable generation: a reset waits in the mailbox only while it is the one in flight, or unanswered
    I9  an answer counts for its agent, account, generation, nonce and fence alone: a forged one counts for nothing
    Q   a quarantine ends by a person's word alone

I3, I4 and I7 are promises that a memory keeps: they do not hold where the host went back to a snapshot, or the server
to a copy. L1 is in `liveness`.
"""

from libs.domain.state import Change, Generation, Kind, Rotation, Status, VersionState
from libs.domain.versions import candidates
from tests.model.checker.host import Host
from tests.model.checker.moments import CONTACT
from tests.model.checker.names import made, opened
from tests.model.checker.server import Server

_SEEN = (VersionState.OFFERED, VersionState.PROVEN, VersionState.REFUSED)


def of_state(server: Server, host: Host, *, journal_kept: bool) -> str:
    """The invariant that this state breaks, or nothing. `journal_kept`: neither host nor server went back."""
    return _known(server, host) or _truthful(server, host) or (_one_effect(server.r, host) if journal_kept else "")


def of_mailbox(r: Rotation, waiting: set[str]) -> str:
    """The same, for the nonces of the resets that wait in the mailbox."""
    open_ = {flight.nonce for flight in (r.flight, r.unanswered) if flight is not None}
    if waiting - open_:
        return "I7 a reset that has ended can still be fetched"
    return "I7 two resets can be fetched" if len(waiting) > 1 else ""


def of_turn(before: Rotation, change: Change, *, answers: bool) -> str:
    """The same, for a turn of the server; whether it is an agent's answer."""
    if change.after.proof != before.proof and not answers:
        return "I2 a proof without a comparison"
    return _requests(before, change) or _versions(before, change.after) or _quarantine(before, change.after)


def at_rest(server: Server, host: Host) -> str:
    """L1, for a state in which nobody has anything left to do: the account is in sync and truly so, or in drift and
    truly so, or waits for a person.
    """
    r = server.r
    if r.flight is not None or r.status in (Status.PENDING, Status.UNCERTAIN):
        return f"L1 stuck for ever, {r.status.value}"
    if r.status is Status.IN_SYNC and (r.proof is None or live_version(r, r.proof.generation) != host.password):
        return "L1 at rest, says in sync, and is not"
    # What a person stated and nobody compared yet is theirs to ask about again.
    compared = (v for v in candidates(r) if v.state is not VersionState.STATED)
    if r.status is Status.DRIFT and any(opened(v) == host.password for v in compared):
        return "L1 at rest, says drift, and the vault has the password"
    return ""


def live_version(r: Rotation, generation: Generation) -> str | None:
    """The password of a generation, where the vault has it."""
    return next((opened(v) for v in r.versions if v.generation == generation), None)


def _known(server: Server, host: Host) -> str:
    if not server.proven or not made(host.password):
        return ""
    if any(opened(v) == host.password for v in server.r.versions):
        return ""
    if any(password == host.password for _, password in host.escrow):
        return ""
    return "I1 the live password is nowhere in the vault"


def _truthful(server: Server, host: Host) -> str:
    r = server.r
    if r.status is not Status.IN_SYNC:
        return ""
    if r.proof is None:
        return "I2 says in sync, and nothing was ever proven"
    if server.fresh and live_version(r, r.proof.generation) != host.password:
        return "I2 says in sync, and it never was"
    seen = r.seen
    if seen is not None and seen.receipt == CONTACT and r.fingerprint not in (None, seen.fingerprint):
        return "I2 says in sync, and a contact since has spoken against it"
    return ""


def _one_effect(r: Rotation, host: Host) -> str:
    if host.working is None:
        return ""
    generation = host.working.generation
    if r.proof is not None and generation < r.proof.generation:
        return "I3 a stale generation is being applied"
    open_ = {f.generation for f in (r.flight, r.unanswered) if f is not None and f.kind is Kind.RESET}
    return "" if generation in open_ else "I4 a reset that has ended is being applied"


def _requests(before: Rotation, change: Change) -> str:
    had, has = _open(before), _open(change.after)
    ended = [each.task for each in change.ended]
    if len(set(ended)) != len(ended) or any(task not in had or task in has for task in ended):
        return "I5 a request ends that was not open, or goes on after its end"
    return "" if had <= has | set(ended) else "I5 a request is gone without an end"


def _open(r: Rotation) -> set[str]:
    return {flight.task for flight in (r.flight, r.unanswered) if flight is not None}


def _versions(before: Rotation, after: Rotation) -> str:
    kept = {v.generation: v for v in after.versions}
    for version in before.versions:
        now = kept.get(version.generation)
        if now is None:
            return f"I6 version {version.generation} is dropped"
        if version.sealed not in (None, now.sealed):
            return f"I6 version {version.generation} is another password"
        if version.state in _SEEN and now.state not in _SEEN:
            return f"I6 version {version.generation} is no candidate any more"
    return ""


def _quarantine(before: Rotation, after: Rotation) -> str:
    # The release makes UNCERTAIN, or UNMANAGED where nothing can be compared; nothing else leads there from here.
    left = before.status is Status.QUARANTINED and after.status is not Status.QUARANTINED
    return "Q a quarantine ends without a person" if left and after.status is Status.IN_SYNC else ""
