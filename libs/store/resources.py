"""Resources: the machines, written by the scheduler alone."""

from dataclasses import dataclass

from libs.store.ports import LAST_CHARACTER, After, Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable
from libs.wire.observations import HostFacts
from libs.wire.requests import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Revised):
    """A managed machine or domain."""

    name: str
    platform: Platform
    owner: str  # a user's id
    owner_name: str
    agent: str
    agent_since: int = 0  # when a person approved this agent for a resource that was known; 0 for its first agent
    created_at: int
    host: HostFacts | None = None
    observed_at: int | None = None  # when the newest observation was received
    observation_receipt: int = 0
    cut: bool = False  # it had more accounts than an observation holds
    sequence: int = 0  # of that observation, by the agent's own counter


class Resources(TurningTable[Resource]):
    """Everybody's resources."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.RESOURCES, Resource)

    async def of_agent(self, agent: str) -> Resource | None:
        """The resource that an agent serves."""
        found = await self._collection.find(equals={"agent": agent}, limit=1)
        return self._one(found[0]) if found else None

    async def named(self, owner: str, name: str) -> Resource | None:
        """One of this owner's that has this name."""
        found = await self._collection.find(equals={"owner": owner, "name": name}, limit=1)
        return self._one(found[0]) if found else None

    async def beginning(self, prefix: str, *, limit: int) -> list[Resource]:
        """Those whose name begins with `prefix`, by name."""
        found = await self._collection.find(between=("name", prefix, prefix + LAST_CHARACTER), limit=limit)
        return self._all(found)

    async def count(self, *, limit: int) -> int:
        """How many there are; `limit` means that many or more."""
        return await self._collection.count(between=("created_at", 0, 2**53), limit=limit)

    async def page(
        self, *, now: int, limit: int, after: After | None = None, owner: str | None = None
    ) -> list[Resource]:
        """Newest first, one owner's or all; `after` is the (created_at, id) where the page before ended."""
        equals = {} if owner is None else {"owner": owner}
        return await self._page(now=now, limit=limit, after=after, equals=equals)
