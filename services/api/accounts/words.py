"""An account's status as sentences: what happened, what it means for the password, what to do next.

"Nothing changed" never stands here: a status does not tell what was compared. "In sync" never stands without when and
how.
"""

from libs.domain.state import Flight, Kind, Phase, Proof, ProofKind, Rotation, Status
from libs.domain.versions import candidates
from services.api.accounts.schemas import NextStep
from services.api.words import ago, clock

ATTENTION = (Status.QUARANTINED, Status.DRIFT, Status.UNCERTAIN)
"""What needs a person, most urgent first."""

_HOW = {ProofKind.COMPARISON: "by comparison", ProofKind.TEST_LOGON: "by a test log-on"}
_NUMBERS = {1: "1 password may be live; Keyturn holds it.", 2: "2 passwords may be live; Keyturn holds both."}


def sentences(r: Rotation, now: int) -> tuple[str, str, str]:
    """What happened, what it means for the password, what to do next."""
    match r.status:
        case Status.IN_SYNC:
            return _in_sync(r.proof, now)
        case Status.PENDING:
            return _pending(r, now)
        case Status.UNCERTAIN:
            return _why_uncertain(r, now), _may_be_live(r), _compare(r.flight)
        case Status.DRIFT:
            return (
                f"The password on the host is not the one Keyturn holds, compared {ago(r.compared_at, now)}.",
                "It was changed on the host; Keyturn does not know the new one.",
                "Set a new one to take it back, or state the one that it has.",
            )
        case Status.QUARANTINED:
            return (
                "Two machines use this identity.",
                "Nothing is sent until you choose one; the passwords are kept.",
                "Choose the right machine under Agents.",
            )
        case Status.UNMANAGED:
            return _unmanaged(r)


def in_brief(r: Rotation, now: int) -> str:
    """What a row of a list says: what happened and what it means for the password. A proof alone says enough."""
    happened, means, _ = sentences(r, now)
    return happened if r.status is Status.IN_SYNC else f"{happened} {means}"


def next_step(r: Rotation) -> NextStep:
    """What helps now."""
    if r.flight is not None:
        return NextStep.WAIT
    return {
        Status.IN_SYNC: NextStep.NOTHING,
        Status.PENDING: NextStep.WAIT,
        Status.UNCERTAIN: NextStep.VERIFY,
        Status.DRIFT: NextStep.SET_PASSWORD,
        Status.UNMANAGED: NextStep.SET_PASSWORD,
        Status.QUARANTINED: NextStep.CHOOSE_MACHINE,
    }[r.status]


def busy(flight: Flight, who: str | None, now: int) -> str:
    """Why a second request is refused; `who` where the person may know it."""
    doing = "changing" if flight.kind is Kind.RESET else "checking"
    return (
        f"{who or 'Somebody else'} is {doing} this account since {clock(flight.requested_at, now)}."
        " Yours can start when that has ended."
    )


def _in_sync(proof: Proof | None, now: int) -> tuple[str, str, str]:
    if proof is None:
        raise ValueError("in sync without a proof")
    return (
        f"Proven {ago(proof.at, now)} {_HOW[proof.kind]}.",
        "Nothing seen since speaks against it.",
        "There is nothing to do.",
    )


def _pending(r: Rotation, now: int) -> tuple[str, str, str]:
    if r.flight is None:
        raise ValueError("pending without a flight")
    if r.flight.phase is Phase.QUEUED:
        stays = "What is live on the host stays until then."
        if r.back is Status.IN_SYNC and r.proof is not None:
            stays = f"The password proven {ago(r.proof.at, now)} stays live."
        return f"Waiting for the agent since {clock(r.flight.requested_at, now)}.", stays, "Wait, or cancel the task."
    offered = next((v.offered_at for v in r.versions if v.generation == r.flight.generation), None)
    return (
        f"The agent took it {ago(now if offered is None else offered, now)} and is setting it now.",
        "Either password may open the account until it is proven.",
        "Wait for the answer.",
    )


def _why_uncertain(r: Rotation, now: int) -> str:
    if r.unanswered is not None:
        return f"No answer came after a change, asked {ago(r.unanswered.requested_at, now)}."
    if r.seen is not None and _rolled_back(r):
        return f"The machine was rolled back to an earlier state, seen {ago(r.seen.at, now)}."
    if r.seen is not None and _changed_on_host(r):
        return f"The password was changed on the host, seen {ago(r.seen.at, now)}."
    return "What was proven is past: the agent was enrolled again, or the server came back from a copy."


def _rolled_back(r: Rotation) -> bool:
    newer = r.seen is not None and r.seen.receipt > r.compared_receipt
    return newer and r.seen is not None and r.proof is not None and r.seen.mark < r.proof.generation


def _changed_on_host(r: Rotation) -> bool:
    newer = r.seen is not None and r.seen.receipt > r.compared_receipt
    return newer and r.seen is not None and r.fingerprint is not None and r.seen.fingerprint != r.fingerprint


def _may_be_live(r: Rotation) -> str:
    count = len(candidates(r))
    if r.unanswered is None and (count == 0 or (_changed_on_host(r) and not _rolled_back(r))):
        return "The live password may be one that Keyturn does not hold; the comparison will tell."
    return _NUMBERS.get(count, f"{count} passwords may be live; Keyturn holds all of them.")


def _compare(flight: Flight | None) -> str:
    if flight is not None:
        return "The comparison is under way; reveal shows every candidate until then."
    return "Verify the account; the comparison also runs by itself. Reveal shows every candidate until then."


def _unmanaged(r: Rotation) -> tuple[str, str, str]:
    if r.flight is not None:
        return (
            "Found on the host. The password that was stated waits to be compared.",
            "Keyturn does not know yet whether it opens the account.",
            "Wait for the answer.",
        )
    if candidates(r):
        return (
            "Found on the host. No password that Keyturn holds for it was ever proven.",
            "Keyturn does not know the live password.",
            "Set a password to manage the account, or state the one that it has.",
        )
    return (
        "Found on the host.",
        "Keyturn has never set this password and does not know it.",
        "Set a password to manage the account, or state the one that it has.",
    )
