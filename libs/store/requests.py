"""Signed requests on the desk: written by the gateway, taken by the scheduler."""

from dataclasses import dataclass

from libs.store.ports import Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table
from libs.wire.reasons import Reason
from libs.wire.sign import Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDocument(Record):
    """One request. Only `signed` is believed; the rest is for finding and showing it before the scheduler took it."""

    signed: Signed
    created_at: int
    account: str | None = None
    requester: str | None = None
    taken: bool = False
    why: Reason | None = None  # it was not trusted


class Requests(Table[RequestDocument]):
    """The desk's requests."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.REQUESTS, RequestDocument)

    async def mark_taken(self, key: str, why: Reason | None = None) -> bool:
        """The scheduler is done with it; True for the first to say so."""
        return await self._collection.update(key, guard={"taken": False}, set={"taken": True, "why": why})

    async def waiting(self, now: int, *, patience: int = 0, limit: int = 100) -> list[RequestDocument]:
        """Requests made before the last `patience` ms, and not taken, oldest first: their message was lost."""
        return await self._left_lying({"taken": False}, now, patience, limit)
