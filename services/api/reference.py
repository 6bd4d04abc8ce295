"""The words of Keyturn as one page, made from the code: `python -m services.api.reference > docs/words.md`.

What people read of an account, a task and a reason is written once, where it is used. This page shows all of it, for
those who write scripts or run books; a test of the house holds the page against the code.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from libs.domain.deadlines import DAY, MINUTE
from libs.domain.state import Flight, Generation, Kind, Phase, Proof, Rotation, Seen, Status, Version, VersionState
from libs.wire.reasons import REMARKS, SENTENCES, UPGRADES, VERSIONS, Reason
from libs.wire.troubles import WORDS
from services.api.accounts.words import next_step, sentences
from services.api.problem_codes import CODES
from services.api.tasks.schemas import TaskState
from services.api.tasks.words import sentence

_NOW = 1_764_044_000_000
_OLD, _NEW = Generation(1_764_000_000, 1), Generation(1_764_000_000, 2)
_SINCE = _NOW - 19 * MINUTE
_PROVEN = Rotation(
    status=Status.IN_SYNC,
    newest=_OLD,
    proof=Proof(_OLD, _NOW - 2 * DAY),
    versions=(Version(_OLD, VersionState.PROVEN, _NOW - 2 * DAY, None, _NOW - 2 * DAY, _NOW - 2 * DAY),),
    fingerprint="as compared",
    compared_at=_NOW - 2 * DAY,
)
_FLIGHT = Flight("task", Kind.RESET, _NEW, "nonce", _SINCE, _NOW + DAY)
_QUEUED = replace(_PROVEN, status=Status.PENDING, back=Status.IN_SYNC, newest=_NEW, flight=_FLIGHT)
_AT_AGENT = replace(
    _QUEUED,
    versions=(Version(_NEW, VersionState.OFFERED, _SINCE, None, _NOW - 1_000), *_PROVEN.versions),
    flight=replace(_FLIGHT, phase=Phase.OFFERED),
)
_SILENT = replace(_AT_AGENT, status=Status.UNCERTAIN, flight=None, unanswered=_FLIGHT)
_CHANGED = replace(_PROVEN, status=Status.UNCERTAIN, seen=Seen("another", _OLD, _NOW - MINUTE, 1))
_ROLLED_BACK = replace(_CHANGED, seen=Seen("another", Generation(1, 1), _NOW - MINUTE, 1))
_STATED = replace(Rotation(), newest=_NEW, flight=replace(_FLIGHT, kind=Kind.ADOPT))

ACCOUNTS = (
    ("in sync", _PROVEN),
    ("pending, queued", _QUEUED),
    ("pending, at the agent", _AT_AGENT),
    ("uncertain, no answer came", _SILENT),
    ("uncertain, changed on the host", _CHANGED),
    ("uncertain, the machine went back", _ROLLED_BACK),
    ("uncertain, enrolled again or restored", replace(_PROVEN, status=Status.UNCERTAIN)),
    ("drift", replace(_PROVEN, status=Status.DRIFT, compared_at=_NOW - 41 * MINUTE)),
    ("unmanaged", Rotation()),
    ("unmanaged, a password was stated", _STATED),
    ("quarantined", replace(_PROVEN, status=Status.QUARANTINED)),
)


def page() -> str:
    """The page, in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The words of Keyturn"
    yield ""
    yield "Made from the code by `python -m services.api.reference`; a test holds it to the code. Times are examples."
    yield ""
    yield "## The states of an account"
    yield ""
    yield from _table(
        ("state", "what happened", "what it means for the password", "what to do", "`next_step`"),
        ((name, *sentences(rotation, _NOW), f"`{next_step(rotation)}`") for name, rotation in ACCOUNTS),
    )
    yield "## The states of a password version"
    yield ""
    yield from _table(("state", "what is known of it"), ((f"`{state}`", VERSIONS[state]) for state in VersionState))
    yield "## The states of a task"
    yield ""
    yield "The first four are open. One that ended for a reason says it; here by an example."
    yield ""
    yield from _table(("state", "sentence (of a reset / a verify / an adoption)"), map(_task, TaskState))
    yield "## Reasons"
    yield ""
    yield "A code is stable and never used for another meaning."
    yield ""
    yield from _table(
        ("code", "what happened", "what it means for the password", "what to do"),
        ((f"`{reason}`", *words) for reason, words in SENTENCES.items()),
    )
    yield "## Troubles of an agent"
    yield ""
    yield "In the agent's status, in what `doctor` says, and on the agent's page, beside the reasons of the host above."
    yield ""
    yield from _table(
        ("code", "what it means", "what to do"), ((f"`{trouble}`", *words) for trouble, words in WORDS.items())
    )
    yield "## Codes of problems"
    yield ""
    yield "What `application/problem+json` has as `code`, beside the reasons above, which come with 409."
    yield ""
    yield from _table(("code", "HTTP status", "what it says"), ((f"`{code}`", *words) for code, words in CODES.items()))
    yield "## Remarks"
    yield ""
    yield "What a comparison adds to its answer."
    yield ""
    yield from _table(("code", "sentence"), ((f"`{remark}`", words) for remark, words in REMARKS.items()))
    yield "## Upgrades"
    yield ""
    yield "Why an agent did not take or keep a newer release. No password is concerned: the agent goes on as it was."
    yield ""
    yield from _table(
        ("code", "what happened", "what to do"), ((f"`{code}`", *said) for code, said in UPGRADES.items())
    )


_REASONS = {
    TaskState.REFUSED: Reason.REFUSED_BY_HOST,
    TaskState.CANCELLED: Reason.CANCELLED,
    TaskState.EXPIRED: Reason.DEADLINE_PASSED,
    TaskState.CANNOT_TELL: Reason.HASH_NOT_KNOWN,
}


def _task(state: TaskState) -> tuple[str, ...]:
    said = (
        sentence(
            kind,
            state,
            created_at=_SINCE,
            offered_at=_NOW - 1_000,
            ended_at=_NOW - MINUTE,
            opens=True,
            reason=_REASONS.get(state),
            now=_NOW,
        )
        for kind in (Kind.RESET, Kind.VERIFY, Kind.ADOPT)
    )
    return f"`{state}`", " / ".join(dict.fromkeys(said))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


if __name__ == "__main__":
    print(page().removesuffix("\n"))  # noqa: T201 - the page is what is asked for
