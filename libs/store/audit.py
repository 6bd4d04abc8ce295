"""The audit: what was done, inserted once and never changed, each service's in a database of its own.

A record's identifier is derived from what it tells, so that writing it again after a crash meets the first one.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from libs.store.paging import newest
from libs.store.ports import After, Document, Store
from libs.store.record import Codec, Record
from libs.store.schema import AUDITS, Service

_EVER = 2**53


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A record, and the service that wrote it."""

    service: Service
    record: AuditRecord


class Audit:
    """One service's own records."""

    def __init__(self, store: Store, service: Service) -> None:
        self._collection = store.collection(AUDITS[service])
        self._codec = Codec(AuditRecord)

    async def append(self, record: AuditRecord) -> bool:
        """Durable when it returns; False when it was there already."""
        return await self._collection.insert(self._codec.to_document(record))


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
        given = {"account": account, "who.id": who, "task": task}
        equals = {path: value for path, value in given.items() if value is not None}

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
