"""One account: what is known, every password that may be live, and what was asked."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from libs.wire.ids import AccountId, TaskId
from services.api.accounts.service import Accounts
from services.api.fields import Cursor
from services.api.pages import looks
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Visitor, Visits
from services.api.resources.service import Resources
from services.api.tasks.asking import NOT_ASCII
from services.api.tasks.schemas import TaskView
from services.api.tasks.service import Tasks

_HISTORY = 20


def router(pages: Pages, resources: Resources, accounts: Accounts, tasks: Tasks, see: Visits) -> APIRouter:
    routes = APIRouter()

    @routes.get("/accounts/{account}")
    async def one(
        visitor: Annotated[Visitor, Depends(see)],
        account: AccountId,
        warned: Annotated[bool, Query()] = False,
        cursor: Cursor = None,
    ) -> Response:
        view = await accounts.one(visitor.caller, account)
        history = await tasks.page(
            visitor.caller, mine=False, account=account, state=None, limit=_HISTORY, cursor=cursor
        )
        newest = history.items[0] if history.items and cursor is None else None
        return await pages.show(
            visitor,
            "account.html",
            account=view,
            resource=await resources.one(visitor.caller, view.resource.id),
            way=newest if newest is not None and looks.has_way(newest, pages.now()) else None,
            days=by_day(history.items),
            warning=NOT_ASCII if warned else None,
            cursor=cursor,
            following=history.next,
        )

    @routes.get("/tasks/{task}")
    async def of_task(visitor: Annotated[Visitor, Depends(see)], task: TaskId) -> Response:
        """A task is shown on its account."""
        return go(f"/accounts/{(await tasks.one(visitor.caller, task)).account.id}")

    return routes


def by_day(tasks: Iterable[TaskView]) -> list[tuple[str, list[Any]]]:
    """Tasks under the day on which each was asked, in UTC."""
    return [(day, list(asked)) for day, asked in groupby(tasks, key=lambda each: _day(each.requested_at))]


def _day(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1_000, UTC)
    return f"{moment:%A} {moment.day} {moment:%B %Y}"
