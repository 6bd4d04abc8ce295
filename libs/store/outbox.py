"""The outbox: events that lie in the document whose change caused them, until a relay has published them.

A change and its events are one guarded write, so none is lost and none is sent for a change that was not made. The
relay publishes, waits for the broker's word, and only then takes the entry away; a crash between the two sends it
twice, and every consumer is ready for that. Taking away leaves `rev` alone, so it never makes a writer lose its race.
"""

from collections.abc import Sequence
from typing import NamedTuple

import structlog
from pydantic import ValidationError

from libs.store.ports import Document, Store
from libs.store.schema import OUTBOXES, CollectionName, Service
from libs.wire.envelope import Envelope

_EVER = 2**53

_log = structlog.get_logger(__name__)


class Waiting(NamedTuple):
    """One event that is not known to be published."""

    collection: CollectionName
    document: str
    envelope: Envelope


def entries(events: Sequence[Envelope]) -> list[Document]:
    """What lies in a document's `outbox` for these events."""
    return [{"id": event.id, "at": event.at, "envelope": event.model_dump(mode="json")} for event in events]


class Outbox:
    """One service's outboxes, for its relay.

    An entry that is no event of this version is logged at each reading and left: it must not keep the others.
    """

    def __init__(self, store: Store, service: Service) -> None:
        self._collections = {name: store.collection(name) for name in OUTBOXES[service]}

    @property
    def collections(self) -> tuple[CollectionName, ...]:
        return tuple(self._collections)

    async def waiting(self, limit: int = 100) -> list[Waiting]:
        """Events to publish, oldest first, of at most `limit` documents a collection."""
        found: list[Waiting] = []
        for name in self._collections:
            found.extend(await self.page(name, since=0, until=_EVER, limit=limit))
        return sorted(found, key=lambda each: (each.envelope.at, each.envelope.id))

    async def page(self, name: CollectionName, *, since: int, until: int, limit: int) -> list[Waiting]:
        """The events of at most `limit` documents that have one from `since` to `until` (Unix milliseconds)."""
        found: list[Waiting] = []
        for document in await self._collections[name].find(between=("outbox.at", since, until), limit=limit):
            found.extend(_read(name, document))
        return found

    async def of(self, name: CollectionName, key: str) -> list[Waiting]:
        """The events in one document, in their order."""
        document = await self._collections[name].get(key)
        return [] if document is None else _read(name, document)

    async def published(self, event: Waiting) -> None:
        """Takes the event away; also when it is gone already."""
        await self._collections[event.collection].update(event.document, pull={"outbox": {"id": event.envelope.id}})


def _read(name: CollectionName, document: Document) -> list[Waiting]:
    found: list[Waiting] = []
    for entry in document.get("outbox", []):
        try:
            found.append(Waiting(name, document["_id"], Envelope.model_validate(entry["envelope"])))
        except (KeyError, TypeError, ValidationError):
            _log.error("unreadable outbox entry", collection=name, document=document["_id"])
    return found
