"""A task's state as one sentence, and its reason in three."""

from libs.domain.state import Kind
from libs.wire.reasons import REMARKS, SENTENCES, Reason, Remark
from services.api.tasks.schemas import ReasonView, RemarkView, TaskState
from services.api.words import ago, clock


def sentence(  # noqa: PLR0911 - one sentence for each state
    kind: Kind,
    state: TaskState,
    *,
    created_at: int,
    offered_at: int | None,
    ended_at: int | None,
    opens: bool | None,
    reason: Reason | None,
    now: int,
) -> str:
    """The state in plain words."""
    match state:
        case TaskState.REQUESTED:
            return f"Asked {ago(created_at, now)}; the scheduler has not taken it yet."
        case TaskState.QUEUED:
            return f"Waiting for the agent since {clock(created_at, now)}."
        case TaskState.OFFERED:
            doing = "setting it" if kind is Kind.RESET else "comparing"
            return f"The agent took it {ago(offered_at or created_at, now)} and is {doing} now."
        case TaskState.DONE if kind is Kind.RESET:
            return f"Set, and proven {ago(ended_at or created_at, now)} by comparison."
        case TaskState.DONE if kind is Kind.ADOPT:
            return f"It opens the account, proven {ago(ended_at or created_at, now)} by comparison; nothing was set."
        case TaskState.DONE:
            return "Opens the account." if opens else "Does not open the account."
        case TaskState.UNANSWERED:
            return "No answer came after the agent took it; a comparison will tell what became of it."
        case TaskState.CANNOT_TELL:
            return "Cannot tell." if reason is None else f"Cannot tell: {SENTENCES[reason].happened}"
    if reason is None:
        return f"Ended {ago(ended_at or created_at, now)}."
    found = SENTENCES[reason]
    return f"{found.happened} {found.means}"


def reason_view(reason: Reason | None) -> ReasonView | None:
    """A reason's three sentences."""
    if reason is None:
        return None
    found = SENTENCES[reason]
    return ReasonView(code=reason, happened=found.happened, means=found.means, next=found.next)


def remark_views(remarks: tuple[Remark, ...]) -> tuple[RemarkView, ...]:
    """What a comparison added, in words."""
    return tuple(RemarkView(code=each, sentence=REMARKS[each]) for each in remarks)
