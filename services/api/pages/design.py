"""The living page of the design: every component in every state, by the same templates as all pages.

Its accounts and tasks are examples made here; none of them is anybody's.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from libs.domain.state import Kind
from libs.store.tasks import Task, TaskState
from libs.wire.ids import Noun, derived_id
from libs.wire.reasons import Reason
from libs.wire.secret import Secret
from services.api.pages.rendering import Pages
from services.api.pages.spelling import spell
from services.api.pages.visitors import Visitor, Visits
from services.api.tasks.schemas import TaskView
from services.api.tasks.views import of_task

_SECOND = 1_000
_STRENGTHS = (
    (0, "How strong it is shows here while you type."),
    (1, "Very weak, guessed at once. It has a known name in it."),
    (2, "Weak, would be guessed. It has a common word in it."),
    (3, "Good, as far as this page can tell."),
    (4, "Strong, as far as this page can tell."),
)
"""As strength.js says them."""
_PASSWORD = Secret("Kf7m-R0q e+Vt")


def router(pages: Pages, see: Visits) -> APIRouter:
    routes = APIRouter()

    @routes.get("/design")
    async def show(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        return await pages.show(
            visitor,
            "design.html",
            tasks=examples(pages.now()),
            letters=spell(_PASSWORD).letters,
            strengths=_STRENGTHS,
        )

    return routes


def examples(now: int) -> tuple[TaskView, ...]:
    """A task in each state."""
    at = now - 3 * _SECOND

    def task(state: TaskState, **given: Any) -> TaskView:
        made = Task(
            id=derived_id(Noun.TASK, "example", state.value, str(given.get("opens"))),
            kind=given.pop("kind", Kind.RESET),
            account=derived_id(Noun.ACCOUNT, "example"),
            resource=derived_id(Noun.RESOURCE, "example"),
            account_name="postgres",
            resource_name="dmz-web-01",
            requester=None,
            state=state,
            created_at=at,
            rev=1,
            **given,
        )
        return of_task(made, now)

    offered, ended = {"offered_at": at + _SECOND}, {"ended_at": at + 2 * _SECOND}
    return (
        task(TaskState.QUEUED),
        task(TaskState.OFFERED, **offered),
        task(TaskState.DONE, **offered, **ended),
        task(TaskState.DONE, kind=Kind.VERIFY, opens=True, **offered, **ended),
        task(TaskState.DONE, kind=Kind.VERIFY, opens=False, **offered, **ended),
        task(TaskState.REFUSED, reason=Reason.REFUSED_BY_HOST, detail="too similar to the old one", **offered, **ended),
        task(TaskState.CANNOT_TELL, kind=Kind.VERIFY, reason=Reason.HASH_NOT_KNOWN, **offered, **ended),
        task(TaskState.UNANSWERED, **offered),
        task(TaskState.CANCELLED, **ended),
        task(TaskState.EXPIRED, **ended),
    )
