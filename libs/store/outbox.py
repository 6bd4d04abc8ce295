"""The outbox: events that lie in the document whose change caused them, until a relay has published them.

A change and its events are one guarded write, so none is lost and none is sent for a change that was not made. The
relay publishes, waits for the broker's word, and only then takes the entry away; a crash between the two sends it
twice, and every consumer is ready for that. Taking away leaves `rev` alone, so it never makes a writer lose its race.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import ValidationError

from libs.store.errors import UnreadableDocumentError
from libs.store.ports import Document, Store
from libs.store.schema import OUTBOXES, CollectionName, Service
from libs.wire.envelope import Envelope

_EVER = 2**53


class Waiting(NamedTuple):
    """One event that is not known to be published."""

    collection: CollectionName
    document: str
    envelope: Envelope


def entries(events: Sequence[Envelope]) -> list[Document]:
    """What lies in a document's `outbox` for these events."""
    return [{"id": event.id, "at": event.at, "envelope": event.model_dump(mode="json")} for event in events]


class Outbox:
    """One service's outboxes, for its relay."""

    def __init__(self, store: Store, service: Service) -> None:
        self._collections = {name: store.collection(name) for name in OUTBOXES[service]}

    async def waiting(self, limit: int = 100) -> list[Waiting]:
        """Events to publish, oldest first, of at most `limit` documents a collection.

        Raises:
            UnreadableDocumentError: an entry is no event of this version.
        """
        found: list[Waiting] = []
        for name, collection in self._collections.items():
            for document in await collection.find(between=("outbox.at", 0, _EVER), limit=limit):
                found.extend(Waiting(name, document["_id"], _envelope(entry)) for entry in document["outbox"])
        return sorted(found, key=lambda each: (each.envelope.at, each.envelope.id))

    async def published(self, event: Waiting) -> None:
        """Takes the event away; also when it is gone already."""
        await self._collections[event.collection].update(event.document, pull={"outbox": {"id": event.envelope.id}})


def _envelope(entry: Document) -> Envelope:
    try:
        return Envelope.model_validate(entry["envelope"])
    except (KeyError, ValidationError) as error:
        raise UnreadableDocumentError(f"outbox entry {entry.get('id')}") from error
