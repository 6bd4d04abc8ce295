"""One account: what is known, every password that may be live, and what happened to it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from libs.wire.ids import AccountId, TaskId
from services.api.accounts.service import Accounts
from services.api.agents.service import Agents
from services.api.fields import Cursor
from services.api.pages import looks
from services.api.pages.rendering import Pages, go
from services.api.pages.time_line import TimeLine
from services.api.pages.visitors import Visitor, Visits
from services.api.resources.service import Resources
from services.api.tasks.service import Tasks
from services.api.tasks.warnings import Warned, shown


def router(  # noqa: PLR0917 - each is another noun of the one page
    pages: Pages,
    resources: Resources,
    accounts: Accounts,
    tasks: Tasks,
    agents: Agents,
    time_line: TimeLine,
    see: Visits,
) -> APIRouter:
    routes = APIRouter()

    @routes.get("/accounts/{account}")
    async def one(
        visitor: Annotated[Visitor, Depends(see)],
        account: AccountId,
        warned: Annotated[tuple[Warned, ...], Query(max_length=len(Warned))] = (),
        cursor: Cursor = None,
    ) -> Response:
        view = await accounts.one(visitor.caller, account)
        told = await time_line.page(visitor.caller, account, cursor, pages.now())
        newest = told.tasks.items[0] if told.tasks.items and cursor is None else None
        return await pages.show(
            visitor,
            "account.html",
            account=view,
            resource=await resources.one(visitor.caller, view.resource.id),
            trouble=await agents.trouble_of(view.resource.id),
            asked=await tasks.asked(visitor.caller, {account}) if view.flight is None else {},
            way=newest if newest is not None and looks.has_way(newest, pages.now()) else None,
            days=told.days,
            watched=[each.id for each in told.tasks.items],
            warnings=shown(warned),
            cursor=cursor,
            following=told.tasks.next,
        )

    @routes.get("/tasks/{task}")
    async def of_task(visitor: Annotated[Visitor, Depends(see)], task: TaskId) -> Response:
        """A task is shown on its account."""
        return go(f"/accounts/{(await tasks.one(visitor.caller, task)).account.id}")

    return routes
