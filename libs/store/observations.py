"""Signed observations on the desk: stored by the gateway as they came, believed by the scheduler once checked."""

from dataclasses import dataclass

from libs.store.ports import Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table
from libs.wire.sign import Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationDocument(Record):
    """What an agent saw; its `receipt` is what the rules order by."""

    agent: str  # who sent it, by the signature of the HTTP request
    signed: Signed
    created_at: int
    receipt: int
    taken: bool = False
    why: str | None = None  # it did not count


class Observations(Table[ObservationDocument]):
    """The desk's observations."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.OBSERVATIONS, ObservationDocument)

    async def mark_taken(self, key: str, why: str | None = None) -> bool:
        """The scheduler is done with it; True for the first to say so."""
        return await self._collection.update(key, guard={"taken": False}, set={"taken": True, "why": why})

    async def waiting(self, now: int, *, patience: int = 0, limit: int = 100) -> list[ObservationDocument]:
        """Observations received before the last `patience` ms, and not taken, oldest first: their message was lost."""
        return await self._left_lying({"taken": False}, now, patience, limit)
