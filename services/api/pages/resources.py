"""*Resources*, what needs attention first; and *Passwords* of one resource."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from libs.domain.state import Status
from libs.wire.ids import ResourceId
from libs.wire.observations import Kind
from services.api.accounts.schemas import AccountBrief
from services.api.accounts.service import Accounts
from services.api.accounts.words import ATTENTION
from services.api.agents.service import Agents
from services.api.errors import NotThereError
from services.api.fields import MAX_PAGE, Cursor
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.resources.finding import Finder
from services.api.resources.looking import Looking
from services.api.resources.service import Resources
from services.api.tasks.schemas import TaskView
from services.api.tasks.service import Tasks


def router(
    pages: Pages,
    finder: Finder,
    resources: Resources,
    looking: Looking,
    accounts: Accounts,
    *,
    tasks: Tasks,
    agents: Agents,
    see: Visits,
    post: Posts,
) -> APIRouter:
    routes = APIRouter(prefix="/resources")

    @routes.get("")
    async def page(
        visitor: Annotated[Visitor, Depends(see)],
        q: Annotated[str, Query(max_length=200)] = "",
        state: Annotated[Status | None, Query()] = None,
        cursor: Cursor = None,
    ) -> Response:
        return await pages.show(
            visitor,
            "resources.html",
            finding=await finder.find(visitor.caller, q=q, state=state, cursor=cursor),
            q=q.strip(),
            state=state,
            cursor=cursor,
        )

    @routes.get("/{resource}")
    async def passwords(
        visitor: Annotated[Visitor, Depends(see)], resource: ResourceId, cursor: Cursor = None
    ) -> Response:
        shown = await resources.one(visitor.caller, resource)
        found = await accounts.page(visitor.caller, resource, limit=MAX_PAGE, cursor=cursor)
        rows = sorted(found.items, key=lambda each: (_urgency(each), each.name))
        # A machine has dozens of accounts of its own that nobody manages: they must not hide the few that people do.
        system = [each for each in rows if Kind.SYSTEM in each.kinds and each.status is Status.UNMANAGED]
        flying = await _flying(tasks, visitor, rows)
        asked = await tasks.asked(visitor.caller, {each.id for each in rows if each.flight is None})
        return await pages.show(
            visitor,
            "passwords.html",
            resource=shown,
            trouble=await agents.trouble_of(resource),
            told=[each for each in rows if each not in system],
            system=system,
            tasks=flying | asked,
            asked=asked,
            cursor=cursor,
            following=found.next,
        )

    @routes.post("/{resource}/discover")
    async def discover(posted: Annotated[Posted, Depends(post)], resource: ResourceId) -> Response:
        await looking.look_again(posted.visitor.caller, resource)
        return go(f"/resources/{resource}")

    return routes


def _urgency(view: AccountBrief) -> int:
    return ATTENTION.index(view.status) if view.status in ATTENTION else len(ATTENTION)


async def _flying(tasks: Tasks, visitor: Visitor, rows: Sequence[AccountBrief]) -> dict[str, TaskView]:
    """The tasks that hold accounts, by the account."""
    found: dict[str, TaskView] = {}
    for row in rows:
        if row.flight is not None and row.flight.task is not None:
            try:
                found[row.id] = await tasks.one(visitor.caller, row.flight.task)
            except NotThereError:
                continue  # the account tells of it before the task is written
    return found
