"""Resources as people see them, with their agents' last contacts."""

from collections.abc import Callable, Iterable, Sequence

from libs.store.ports import After
from libs.store.resources import Resource
from libs.store.resources import Resources as StoredResources
from services.api.access import Access, Caller
from services.api.agents.views import AgentFacts
from services.api.fields import Page, Ref, from_cursor, page_of
from services.api.resources.schemas import AgentBrief, HostView, ResourceView


class Resources:
    """Reads resources for people. `clock` in Unix milliseconds."""

    def __init__(self, resources: StoredResources, facts: AgentFacts, access: Access, clock: Callable[[], int]) -> None:
        self._resources, self._facts, self._access, self._clock = resources, facts, access, clock

    async def one(self, caller: Caller, key: str) -> ResourceView:
        """The resource.

        Raises:
            NotThereError: it is not there, or somebody else's.
        """
        (view,) = await self.rows([await self._access.resource(caller, key)])
        return view

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[ResourceView]:
        """Those that the person may see, newest first."""
        found = await self.newest(caller, limit=limit + 1, after=from_cursor(cursor, int))
        views = {each.id: each for each in await self.rows(found[:limit])}
        return page_of(
            found, limit, lambda resource: views[resource.id], lambda resource: (resource.created_at, resource.id)
        )

    async def newest(self, caller: Caller, *, limit: int, after: After | None = None) -> list[Resource]:
        """Those that the person may see, newest first; `after` is the (created_at, id) where the page before ended."""
        owner = None if self.all_seen_by(caller) else caller.id
        return await self._resources.page(now=self._clock(), limit=limit, after=after, owner=owner)

    def all_seen_by(self, caller: Caller) -> bool:
        """Whether the person sees every resource there is."""
        return caller.is_administrator

    async def seen_by(self, caller: Caller, found: Iterable[Resource]) -> list[Resource]:
        """Those of `found` that the person may see."""
        return [each for each in found if self.all_seen_by(caller) or each.owner == caller.id]

    async def accounts_seen_by(self, caller: Caller, resource: Resource) -> frozenset[str] | None:
        """Which accounts of a resource that the person may see they see; None: all of them."""
        return None if await self.seen_by(caller, [resource]) else frozenset()

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
        created_at=resource.created_at,
        rev=resource.rev,
    )
