"""Agents as people see them: those of the resources that they may see."""

from collections.abc import Callable, Sequence

from libs.store.resources import Resource, Resources
from services.api.access import Access, Caller
from services.api.agents.schemas import AgentView
from services.api.agents.views import AgentFacts
from services.api.agents.words import Trouble, trouble
from services.api.errors import NotThereError
from services.api.fields import Page, from_cursor, to_cursor


class Agents:
    """Lists agents. `clock` in Unix milliseconds."""

    def __init__(self, resources: Resources, facts: AgentFacts, access: Access, clock: Callable[[], int]) -> None:
        self._resources, self._facts, self._access, self._clock = resources, facts, access, clock

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[AgentView]:
        """In the order of their resources, newest first."""
        after = from_cursor(cursor, int)
        found = await self._access.resources(caller, now=self._clock(), limit=limit + 1, after=after)
        views = await self._facts.views(found[:limit])
        following = to_cursor((found[limit - 1].created_at, found[limit - 1].id)) if len(found) > limit else None
        return Page(items=tuple(views.values()), next=following)

    async def of(self, found: Sequence[Resource]) -> dict[str, AgentView]:
        """The agents of resources that the person may see, by the resource's identifier."""
        return await self._facts.views(found)

    async def trouble_of(self, key: str) -> Trouble | None:
        """What is wrong with the agent of a resource that the caller may see, if anything is."""
        found = await self._resources.get(key)
        views = {} if found is None else await self._facts.views([found])
        return trouble(views[key], self._clock()) if key in views else None

    async def of_resource(self, key: str) -> AgentView:
        """The agent of a resource that the caller may see.

        Raises:
            NotThereError: the resource has none.
        """
        found = await self._resources.get(key)
        views = {} if found is None else await self._facts.views([found])
        if key not in views:
            raise NotThereError("agent")
        return views[key]
