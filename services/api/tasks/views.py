"""How a task looks: from the scheduler's projection, and before there is one, from the signed request."""

from libs.domain.state import Kind
from libs.store.tasks import Task
from libs.wire.reasons import Reason
from libs.wire.requests import Person, Request, TaskContent
from services.api.fields import Ref
from services.api.tasks.schemas import TaskState, TaskView
from services.api.tasks.words import reason_view, remark_views, sentence

OPEN = frozenset({TaskState.REQUESTED, TaskState.QUEUED, TaskState.OFFERED, TaskState.UNANSWERED})


def of_task(task: Task, now: int) -> TaskView:
    """The scheduler's projection."""
    state = TaskState(task.state.value)
    return TaskView(
        id=task.id,
        kind=task.kind,
        state=state,
        open=state in OPEN,
        sentence=sentence(
            task.kind,
            state,
            created_at=task.created_at,
            offered_at=task.offered_at,
            ended_at=task.ended_at,
            opens=task.opens,
            reason=task.reason,
            now=now,
        ),
        account=Ref(id=task.account, name=task.account_name),
        resource=Ref(id=task.resource, name=task.resource_name),
        requester=_ref(task.requester),
        note=task.note,
        requested_at=task.created_at,
        deadline=task.deadline,
        offered_at=task.offered_at,
        ended_at=task.ended_at,
        generation=task.generation,
        opens=task.opens,
        reason=reason_view(task.reason),
        detail=task.detail,
        remarks=remark_views(task.remarks),
        rev=task.rev,
    )


def of_request(
    request: Request,
    content: TaskContent,
    *,
    account: str,
    resource: str,
    now: int,
    why: Reason | None = None,
) -> TaskView:
    """A request that the scheduler has not taken, or did not trust; `account` and `resource` are their names."""
    kind = Kind(content.kind)
    state = TaskState.REQUESTED if why is None else TaskState.REFUSED
    return TaskView(
        id=request.id,
        kind=kind,
        state=state,
        open=why is None,
        sentence=sentence(
            kind,
            state,
            created_at=request.issued_at,
            offered_at=None,
            ended_at=None,
            opens=None,
            reason=why,
            now=now,
        ),
        account=Ref(id=content.account, name=account),
        resource=Ref(id=request.resource or "", name=resource),
        requester=_ref(request.person),
        note=content.note,
        requested_at=request.issued_at,
        deadline=request.deadline,
        offered_at=None,
        ended_at=None,
        generation=None,
        opens=None,
        reason=reason_view(why),
        detail=None,
        remarks=(),
        rev=0,
    )


def _ref(person: Person | None) -> Ref | None:
    return None if person is None else Ref(id=person.id, name=person.name)
