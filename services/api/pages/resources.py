"""*Resources*, what needs attention first; and *Passwords* of one resource."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from libs.domain.state import Status
from libs.wire.ids import ResourceId
from libs.wire.observations import Kind
from services.api.accounts.schemas import AccountBrief
from services.api.accounts.service import Accounts
from services.api.errors import NotThereError
from services.api.fields import MAX_PAGE, Cursor
from services.api.pages import looks
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.resources.looking import Looking
from services.api.resources.schemas import ResourceView
from services.api.resources.service import Resources
from services.api.tasks.schemas import TaskView
from services.api.tasks.service import Tasks

_AT_ONCE = 100
"""Machines on one page. Each is read with its accounts, since a machine has no state but theirs."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A row: a resource, its accounts by state, and the account that needs a person first."""

    resource: ResourceView
    counts: Counter[Status]
    more: bool  # it has more accounts than were counted
    urgent: AccountBrief | None
    words: str

    @property
    def order(self) -> tuple[int, str]:
        """Most urgent first, then by name."""
        place = len(looks.ATTENTION) if self.urgent is None else looks.ATTENTION.index(self.urgent.status)
        return place, self.resource.name


def router(
    pages: Pages,
    resources: Resources,
    looking: Looking,
    accounts: Accounts,
    tasks: Tasks,
    *,
    see: Visits,
    post: Posts,
) -> APIRouter:
    routes = APIRouter(prefix="/resources")

    async def machine(visitor: Visitor, resource: ResourceView) -> Machine | None:
        try:
            found = await accounts.page(visitor.caller, resource.id, limit=MAX_PAGE, cursor=None)
        except NotThereError:
            return None  # it went, or became somebody else's, while the list was read
        names = (resource.name, resource.owner.name, *(each.name for each in found.items))
        return Machine(
            resource=resource,
            counts=Counter(each.status for each in found.items),
            more=found.next is not None,
            urgent=looks.most_urgent(found.items),
            words="\n".join(names).lower(),
        )

    @routes.get("")
    async def page(
        visitor: Annotated[Visitor, Depends(see)],
        q: Annotated[str, Query(max_length=200)] = "",
        state: Annotated[Status | None, Query()] = None,
        cursor: Cursor = None,
    ) -> Response:
        found = await resources.page(visitor.caller, limit=_AT_ONCE, cursor=cursor)
        read = await asyncio.gather(*(machine(visitor, each) for each in found.items))
        machines = sorted((each for each in read if each is not None), key=lambda each: each.order)
        text = q.strip().lower()
        matching = [each for each in machines if text in each.words]
        shown = [each for each in matching if state is None or each.counts[state]]
        return await pages.show(
            visitor,
            "resources.html",
            machines=machines,
            matching=matching,
            urgent=[each for each in shown if each.urgent is not None],
            others=[each for each in shown if each.urgent is None],
            by_state={status: sum(bool(each.counts[status]) for each in matching) for status in looks.STATUS},
            q=q.strip(),
            state=state,
            cursor=cursor,
            following=found.next,
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
    return looks.ATTENTION.index(view.status) if view.status in looks.ATTENTION else len(looks.ATTENTION)


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
