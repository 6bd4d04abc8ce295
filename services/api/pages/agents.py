"""*Admin, Agents*: which machines wait for a person, which agents are in trouble, and what packages still admit.

An administrator sees all of it, anybody else what is theirs: the page asks the same services as the interface.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from libs.store.enrolments import EnrolmentState
from libs.store.resources import Resource
from services.api.agents.ailing import Ailing
from services.api.agents.choosing import Choosing
from services.api.agents.revoking import Revoking
from services.api.agents.schemas import AgentView, SaidView
from services.api.agents.service import Agents
from services.api.agents.words import Condition, Trouble, lately, trouble
from services.api.enrolments.service import Enrolments
from services.api.fields import MAX_PAGE, Cursor, from_cursor, to_cursor
from services.api.incidents.service import Incidents
from services.api.packages.schemas import PackageView
from services.api.packages.service import Packages
from services.api.pages.rendering import Pages
from services.api.pages.visitors import Visitor, Visits
from services.api.resources.service import Resources
from services.api.tokens.schemas import TokenState, TokenView
from services.api.tokens.service import Tokens
from services.api.tokens.words import admits

AT_ONCE = 40
"""Machines on one page."""

_FEW = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A machine with its agent."""

    resource: Resource
    agent: AgentView
    trouble: Trouble | None
    said: tuple[SaidView, ...]
    """What its machine met within a day."""

    @property
    def order(self) -> tuple[int, str]:
        """Most urgent first, then by name."""
        place = len(Condition) if self.trouble is None else list(Condition).index(self.trouble.condition)
        return place, self.resource.name


@dataclass(frozen=True, slots=True)
class Made:
    """A package, and what its token still admits."""

    package: PackageView
    token: TokenView
    sentence: str

    @property
    def open(self) -> bool:
        """Whether it admits anybody."""
        return self.token.state is TokenState.ACTIVE


@dataclass(frozen=True)
class Registry:
    """What the page reads."""

    resources: Resources
    agents: Agents
    ailing: Ailing
    enrolments: Enrolments
    incidents: Incidents
    revoking: Revoking
    choosing: Choosing
    packages: Packages
    tokens: Tokens


def router(pages: Pages, registry: Registry, see: Visits) -> APIRouter:
    routes = APIRouter(prefix="/admin/agents")

    async def made(visitor: Visitor) -> list[Made]:
        """The newest packages; each was made with its token."""
        found = await registry.packages.page(visitor.caller, limit=_FEW, cursor=None)
        tokens = await registry.tokens.page(visitor.caller, limit=MAX_PAGE, cursor=None)
        by_package = {each.package: each for each in tokens.items}
        return [
            Made(each, by_package[each.id], admits(by_package[each.id], pages.now()))
            for each in found.items
            if each.id in by_package
        ]

    @routes.get("")
    async def page(visitor: Annotated[Visitor, Depends(see)], cursor: Cursor = None) -> Response:
        caller, now = visitor.caller, pages.now()
        machines = await registry.resources.newest(caller, limit=AT_ONCE + 1, after=from_cursor(cursor, int))
        following = machines[AT_ONCE - 1] if len(machines) > AT_ONCE else None
        # Those in trouble come first from wherever they are; on one page of all, they are among them anyway.
        first = await registry.ailing.first(caller) if following is not None and cursor is None else []
        shown = {each.id: each for each in (*first, *machines[:AT_ONCE])}
        known = await registry.agents.of(list(shown.values()))
        rows = [
            Row(each, known[key], trouble(known[key], now), lately(known[key], now))
            for key, each in shown.items()
            if key in known
        ]
        rows.sort(key=lambda row: row.order)
        incidents = (await registry.incidents.page(caller, limit=_FEW, cursor=None)).items
        waiting = await registry.enrolments.page(caller, state=EnrolmentState.WAITING, limit=_FEW, cursor=None)
        return await pages.show(
            visitor,
            "agents.html",
            ailing=[row for row in rows if row.trouble is not None],
            working=[row for row in rows if row.trouble is None],
            waiting=waiting.items,
            open_incidents=[each for each in incidents if each.closed is None],
            closed_incidents=[each for each in incidents if each.closed is not None],
            made=await made(visitor),
            cursor=cursor,
            following=None if following is None else to_cursor((following.created_at, following.id)),
        )

    return routes
