"""Which agents are in trouble, among however many: by indexes on their quarantine and on when they last called."""

from collections.abc import Callable

from libs.store.agents import AgentDocuments
from libs.store.presence import Presences
from libs.store.resources import Resource
from libs.store.resources import Resources as StoredResources
from services.api.access import Caller
from services.api.agents.words import SILENT_AFTER
from services.api.resources.service import Resources

FIRST = 10
"""Of each kind of trouble."""

_LOOKED_AT = 4 * FIRST
"""Agents that were replaced are silent too, and are passed over."""


class Ailing:
    """Finds machines whose agents need a person. `clock` in Unix milliseconds."""

    def __init__(
        self,
        documents: AgentDocuments,
        presences: Presences,
        stored: StoredResources,
        machines: Resources,
        clock: Callable[[], int],
    ) -> None:
        self._documents, self._presences = documents, presences
        self._stored, self._machines, self._clock = stored, machines, clock

    async def first(self, caller: Caller) -> list[Resource]:
        """Those that the person may see: on two machines, then those that fell silent last; at most ten of each."""
        quarantined = await self._documents.quarantined(limit=_LOOKED_AT)
        silent = await self._presences.silent_since(self._clock() - SILENT_AFTER, limit=_LOOKED_AT)
        revoked = {each.id for each in await self._documents.get_many(each.id for each in silent) if each.revoked_at}
        found: dict[str, Resource] = {}
        for agents in ([each.id for each in quarantined], [each.id for each in silent if each.id not in revoked]):
            kind = [each for each in [await self._stored.of_agent(agent) for agent in agents] if each is not None]
            found |= {each.id: each for each in (await self._machines.seen_by(caller, kind))[:FIRST]}
        return list(found.values())
