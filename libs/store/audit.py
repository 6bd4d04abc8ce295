"""The audit: what was done, inserted once and never changed, each service's in a database of its own.

A record's identifier is derived from what it tells, so that writing it again after a crash meets the first one. Each
service's records form a chain (`libs.wire.chain`). Its numbers are unique in the store, so two processes of one service
that append at the same moment cannot both be next: whoever loses takes the place after the winner.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from libs.store.errors import StoreAwayError
from libs.store.paging import newest, scan
from libs.store.ports import After, Document, Store
from libs.store.record import Codec, Record
from libs.store.schema import AUDITS, Service
from libs.wire.chain import START, Link, linked

_EVER = 2**53
_TRIES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A person, an agent or a service."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord(Record):
    """One thing that was done, or was tried."""

    at: int
    who: Who | None
    what: str  # noun.verb
    account: str | None = None
    resource: str | None = None
    task: str | None = None
    outcome: str = "done"
    reason: str | None = None
    address: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    seq: int = 0  # its place in the chain, from 1; given when it is written
    prev: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A record, and the service that wrote it."""

    service: Service
    record: AuditRecord


class Audit:
    """One service's own records, written one after the other."""

    def __init__(self, store: Store, service: Service) -> None:
        self._collection = store.collection(AUDITS[service])
        self._codec = Codec(AuditRecord)
        self._turn = asyncio.Lock()
        self._end: Link | None = None  # as far as this process knows

    async def append(self, record: AuditRecord) -> bool:
        """Durable when it returns; False when it was there already."""
        document = self._codec.to_document(record)
        async with self._turn:
            before = await self._last_seen(record.at) if self._end is None else self._end
            for _ in range(_TRIES):
                placed = linked(document, before)
                if await self._collection.insert(placed):
                    self._end = Link(placed["seq"], placed["hash"])
                    return True
                if await self._collection.get(record.id) is not None:
                    return False
                before = await self._end_after(before)
        raise StoreAwayError(f"{_TRIES} places in the audit's chain were taken by others")

    async def _last_seen(self, now: int) -> Link:
        """The end, from the newest record on: the embedded store would read the whole chain for its highest number."""
        found = await newest(self._collection, field="at", now=now, limit=1)
        return await self._end_after(_place(found[0]) if found else START)

    async def _end_after(self, place: Link) -> Link:
        """The end of the chain, from a place on. What is found is kept, also where the store fails on the way."""
        while True:
            self._end = place
            found = await self._collection.find(equals={"seq": place.seq + 1}, limit=1)
            if not found:
                return place
            place = _place(found[0])


def _place(document: Document) -> Link:
    return Link(document["seq"], document["hash"])


class AuditTrail:
    """Everybody's records, for those whose rights reach all of them."""

    def __init__(self, store: Store) -> None:
        self._collections = {service: store.collection(name) for service, name in AUDITS.items()}
        self._codec = Codec(AuditRecord)

    async def page(
        self,
        *,
        now: int,
        limit: int,
        after: After | None = None,
        account: str | None = None,
        who: str | None = None,
        task: str | None = None,
        since: int = 0,
        until: int = _EVER,
    ) -> list[Told]:
        """Newest first; `after` is the (at, id) where the page before ended, `since` and `until` are included."""
        equals = _equals(account, who, task)

        async def of(service: Service) -> list[tuple[Service, Document]]:
            found = await newest(
                self._collections[service],
                field="at",
                now=now,
                limit=limit,
                equals=equals,
                after=after,
                low=since,
                high=until,
            )
            return [(service, document) for document in found]

        parts = await asyncio.gather(*(of(service) for service in self._collections))
        merged = sorted(
            (each for part in parts for each in part), key=lambda each: (each[1]["at"], each[1]["_id"]), reverse=True
        )
        return [Told(service=service, record=self._codec.from_document(found)) for service, found in merged[:limit]]

    async def whole(
        self, *, account: str | None = None, who: str | None = None, task: str | None = None, since: int, until: int
    ) -> AsyncIterator[tuple[Service, Document]]:
        """The documents as they lie in the store, service after service, oldest first; for an export."""
        equals = _equals(account, who, task)
        for service, collection in self._collections.items():
            async for document in scan(collection, between=("at", since, until), equals=equals):
                yield service, document


def _equals(account: str | None, who: str | None, task: str | None) -> dict[str, str]:
    given = {"account": account, "who.id": who, "task": task}
    return {path: value for path, value in given.items() if value is not None}
