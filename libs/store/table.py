"""Records of one kind in one collection: what every noun is built on."""

from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeVar

from libs.store.outbox import entries
from libs.store.paging import Widths, left_lying, newest
from libs.store.ports import NOTHING, After, Collection, Document, Store
from libs.store.record import Codec, Identified
from libs.store.schema import CollectionName
from libs.wire.envelope import Envelope


class Turning(Identified, Protocol):
    """A record with a revision."""

    @property
    def rev(self) -> int: ...


R = TypeVar("R", bound=Identified)
T = TypeVar("T", bound=Turning)


class Table(Generic[R]):
    """Reading, and writing once."""

    def __init__(self, store: Store, name: CollectionName, kind: type[R]) -> None:
        self._collection: Collection = store.collection(name)
        self._codec: Codec[R] = Codec(kind)
        self._widths = Widths()

    async def get(self, key: str) -> R | None:
        """The record with this identifier."""
        return self._one(await self._collection.get(key))

    async def get_many(self, keys: Iterable[str]) -> list[R]:
        """Those that are there, in the order asked."""
        return self._all(await self._collection.get_many(keys))

    async def insert(self, record: R, *events: Envelope) -> bool:
        """True when written, with its events in the outbox; False when the identifier or a unique key is taken."""
        document = self._codec.to_document(record)
        if events:
            document["outbox"] = entries(events)
        return await self._collection.insert(document)

    async def _page(
        self,
        *,
        now: int,
        limit: int,
        after: After | None,
        equals: dict[str, Any] | None = None,
        field: str = "created_at",
    ) -> list[R]:
        found = await newest(
            self._collection,
            field=field,
            equals=equals or NOTHING,
            now=now,
            limit=limit,
            after=after,
            widths=self._widths,
        )
        return self._all(found)

    async def _left_lying(self, equals: dict[str, Any], now: int, patience: int, limit: int) -> list[R]:
        found = await left_lying(
            self._collection, field="created_at", equals=equals, now=now, patience=patience, limit=limit
        )
        return self._all(found)

    def _one(self, document: Document | None) -> R | None:
        return None if document is None else self._codec.from_document(document)

    def _all(self, documents: Iterable[Document]) -> list[R]:
        return [self._codec.from_document(document) for document in documents]


class TurningTable(Table[T]):
    """And changing, by compare-and-set."""

    async def save(self, before: T, after: T, *events: Envelope) -> bool:
        """Writes what differs, with its events in the outbox; False when somebody else wrote since `before` was read.

        Raises:
            ValueError: `after` is another record, or not the next revision of `before`.
        """
        if (after.id, after.rev) != (before.id, before.rev + 1):
            raise ValueError(f"{after.id} rev {after.rev} does not follow {before.id} rev {before.rev}")
        return await self._collection.update(
            before.id,
            guard={"rev": before.rev},
            set=self._codec.changes(before, after),
            push={"outbox": entries(events)} if events else NOTHING,
        )
