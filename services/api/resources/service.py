"""Resources as people see them, with their agents' last contacts."""

from collections.abc import Callable

from libs.store.resources import Resource
from libs.store.resources import Resources as StoredResources
from services.api.access import Access, Caller
from services.api.agents.schemas import AgentView
from services.api.agents.views import AgentFacts, brief
from services.api.fields import Page, Ref, from_cursor, page_of
from services.api.resources.schemas import HostView, ResourceView


class Resources:
    """Reads resources for people. `clock` in Unix milliseconds."""

    def __init__(self, resources: StoredResources, facts: AgentFacts, access: Access, clock: Callable[[], int]) -> None:
        self._resources, self._facts, self._access, self._clock = resources, facts, access, clock

    async def one(self, caller: Caller, key: str) -> ResourceView:
        """The resource.

        Raises:
            NotThereError: it is not there, or somebody else's.
        """
        resource = await self._access.resource(caller, key)
        agents = await self._facts.views([resource])
        return view(resource, agents.get(resource.id))

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[ResourceView]:
        """Those that the person may see, newest first."""
        owner = None if caller.is_administrator else caller.id
        after = from_cursor(cursor, int)
        found = await self._resources.page(now=self._clock(), limit=limit + 1, after=after, owner=owner)
        agents = await self._facts.views(found[:limit])
        return page_of(
            found,
            limit,
            lambda resource: view(resource, agents.get(resource.id)),
            lambda resource: (resource.created_at, resource.id),
        )


def view(resource: Resource, agent: AgentView | None) -> ResourceView:
    """The resource with its agent."""
    host = resource.host
    return ResourceView(
        id=resource.id,
        name=resource.name,
        platform=resource.platform,
        owner=Ref(id=resource.owner, name=resource.owner_name),
        agent=brief(agent),
        host=None if host is None else HostView(**host.model_dump()),
        observed_at=resource.observed_at,
        cut=resource.cut,
        created_at=resource.created_at,
        rev=resource.rev,
    )
