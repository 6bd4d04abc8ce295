"""Tasks: what people asked for, and what became of it."""

from enum import StrEnum

from pydantic import Field

from libs.domain.state import Kind
from libs.wire.reasons import Reason, Remark
from services.api.fields import Moment, Ref, View


class TaskState(StrEnum):
    """Where a task is. The first four are open."""

    REQUESTED = "requested"  # on the desk; the scheduler has not taken it yet
    QUEUED = "queued"  # waits for the agent
    OFFERED = "offered"  # the agent has it
    UNANSWERED = "unanswered"  # no answer came; a comparison will settle it
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    CANNOT_TELL = "cannot_tell"


class ReasonView(View):
    """Why it ended so, in three sentences."""

    code: Reason
    happened: str
    means: str
    next: str


class RemarkView(View):
    code: Remark
    sentence: str


class TaskView(View):
    id: str
    kind: Kind
    state: TaskState
    open: bool
    sentence: str
    account: Ref
    resource: Ref
    requester: Ref | None = Field(description="Null where nobody asked: Keyturn itself did.")
    note: str
    requested_at: Moment
    deadline: Moment | None
    offered_at: Moment | None
    ended_at: Moment | None
    generation: str | None
    opens: bool | None = Field(description="Of a verify: whether the password opens the account; null: cannot tell.")
    reason: ReasonView | None
    detail: str | None = Field(description="What the host said.")
    remarks: tuple[RemarkView, ...]
    rev: int


class AskedView(View):
    """The answer to a request: its task, and what the person should know before it runs."""

    task: TaskView
    warnings: tuple[str, ...] = ()
