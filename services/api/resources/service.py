"""Resources as people see them, with their agents' last contacts."""

from collections.abc import Callable, Sequence

from libs.store.ports import After
from libs.store.resources import Resource
from libs.store.shares import Level
from services.api.access import Access, Caller
from services.api.agents.views import AgentFacts
from services.api.fields import Page, Ref, from_cursor, page_of
from services.api.resources.schemas import AgentBrief, HostView, ResourceView


class Resources:
    """Reads resources for people. `clock` in Unix milliseconds."""

    def __init__(self, facts: AgentFacts, access: Access, clock: Callable[[], int]) -> None:
        self._facts, self._access, self._clock = facts, access, clock

    async def one(self, caller: Caller, key: str) -> ResourceView:
        """The resource.

        Raises:
            NotThereError: it is not there, or somebody else's.
        """
        resource = await self._access.resource(caller, key)
        level = (await self._access.rights(caller, resource)).whole
        (view,) = await self.rows([resource])
        return view.model_copy(update={"level": level or Level.SEE})

    async def managed(self, caller: Caller, key: str) -> ResourceView:
        """The resource, where the person may manage it.

        Raises:
            NotThereError: it is not there, or somebody else's.
            NotAllowedError: the person may see it, and not manage it.
        """
        await self._access.resource(caller, key, Level.MANAGE)
        return await self.one(caller, key)

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[ResourceView]:
        """Those that the person may see, newest first."""
        found = await self.newest(caller, limit=limit + 1, after=from_cursor(cursor, int))
        views = {each.id: each for each in await self.rows(found[:limit])}
        return page_of(
            found, limit, lambda resource: views[resource.id], lambda resource: (resource.created_at, resource.id)
        )

    async def newest(self, caller: Caller, *, limit: int, after: After | None = None) -> list[Resource]:
        """Those that the person may see, newest first; `after` is the (created_at, id) where the page before ended."""
        return await self._access.resources(caller, now=self._clock(), limit=limit, after=after)

    async def rows(self, found: Sequence[Resource]) -> list[ResourceView]:
        """What a list shows of resources that the person may see, in the order given."""
        agents = await self._facts.briefs(found)
        return [_view(each, agents.get(each.id)) for each in found]


def _view(resource: Resource, agent: AgentBrief | None) -> ResourceView:
    host = resource.host
    return ResourceView(
        id=resource.id,
        name=resource.name,
        platform=resource.platform,
        owner=Ref(id=resource.owner, name=resource.owner_name),
        agent=agent,
        host=None if host is None else HostView(**host.model_dump()),
        observed_at=resource.observed_at,
        cut=resource.cut,
        created_at=resource.created_at,
        rev=resource.rev,
    )
