"""Which agents are in trouble, among however many: by indexes on their quarantine and on when they last called."""

from collections.abc import Callable, Sequence

from libs.store.agents import AgentDocuments
from libs.store.presence import Presences
from libs.store.resources import Resource, Resources
from services.api.access import Access, Caller, Rights
from services.api.agents.words import SILENT_AFTER

FIRST = 10
"""Of each kind of trouble, on the page of agents."""

_LOOKED_AT = 4
"""Times as many are looked at: agents that were replaced are silent too, and are passed over."""


class Ailing:
    """Finds machines whose agents need a person. `clock` in Unix milliseconds."""

    def __init__(
        self,
        documents: AgentDocuments,
        presences: Presences,
        resources: Resources,
        access: Access,
        clock: Callable[[], int],
    ) -> None:
        self._documents, self._presences = documents, presences
        self._resources, self._access, self._clock = resources, access, clock

    async def first(self, caller: Caller) -> list[Resource]:
        """Those that the person may see: on two machines, then those that fell silent last; at most ten of each."""
        quarantined = await self._documents.quarantined(limit=_LOOKED_AT * FIRST)
        found = await self._of(caller, [each.id for each in quarantined])
        both = {each.id: each for each, _ in (*found[:FIRST], *await self.silent(caller, limit=FIRST))}
        return list(both.values())

    async def silent(self, caller: Caller, *, limit: int) -> list[tuple[Resource, Rights]]:
        """Those whose agents fell silent last, of the ones that the person may see."""
        before = self._clock() - SILENT_AFTER
        silent = await self._presences.silent_since(before, limit=_LOOKED_AT * limit)
        revoked = {each.id for each in await self._documents.get_many(each.id for each in silent) if each.revoked_at}
        return (await self._of(caller, [each.id for each in silent if each.id not in revoked]))[:limit]

    async def _of(self, caller: Caller, agents: Sequence[str]) -> list[tuple[Resource, Rights]]:
        """The machines of these agents, in their order, with what the person may do there."""
        found = [await self._resources.of_agent(agent) for agent in agents]
        return await self._access.visible(caller, [each for each in found if each is not None])
