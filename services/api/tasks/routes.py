"""`/v1/tasks`: what became of requests."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from libs.wire.ids import AccountId, TaskId
from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Page
from services.api.problems import PROBLEMS
from services.api.tasks.asking import TaskAsking
from services.api.tasks.schemas import TaskState, TaskView
from services.api.tasks.service import Tasks


def router(tasks: Tasks, asking: TaskAsking, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/tasks", tags=["tasks"], responses=PROBLEMS)

    @routes.get("", summary="List tasks")
    async def page(  # noqa: PLR0917 - the framework reads each query parameter from the signature
        caller: Annotated[Caller, Depends(signed_in)],
        mine: Annotated[bool, Query(description="Only what you asked for.")] = True,
        account: Annotated[AccountId | None, Query(description="Only of this account.")] = None,
        state: Annotated[TaskState | None, Query(description="Only in this state.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[TaskView]:
        """Newest first. With `mine=false`: an administrator sees all, others need `account`, one of theirs."""
        return await tasks.page(caller, mine=mine, account=account, state=state, limit=limit, cursor=cursor)

    @routes.get("/{task}", summary="Show a task")
    async def one(caller: Annotated[Caller, Depends(signed_in)], task: TaskId) -> TaskView:
        return await tasks.one(caller, task)

    @routes.post("/{task}/cancel", status_code=202, summary="Cancel a task")
    async def cancel(caller: Annotated[Caller, Depends(signed_in)], task: TaskId) -> TaskView:
        """Works while no agent has it; the scheduler decides, and the task shows it."""
        return await asking.cancel(caller, task)

    return routes
