"""The document port: a few operations on one document at a time, which every document store can do.

A document is a mapping with a string `_id`; its values are text, integers of 64 bits, floats, booleans, None, bytes,
aware datetimes (kept to the millisecond), lists and mappings. What goes in is copied, and so is what comes out.

A change is one atomic write to one document, guarded by what the caller has read (usually `rev`): whoever loses the
race gets False, reads again and decides again. There are no transactions and no find-and-modify, so the same code runs
on a replica set and on the embedded store, where only such writes are cheap.

Paths are dotted and go through lists as in MongoDB: `outbox.at` is the `at` of any entry. A guard or an equality takes
plain values; None also means that the field is missing. A range over a list finds each document with an element
inside; one with elements on either side only may be among them, so the reader looks at the elements itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Protocol

from libs.store.schema import CollectionName

Document = dict[str, Any]

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

LAST_CHARACTER: Final = "\U0010ffff"
"""No text that begins with a prefix sorts after the prefix and this."""

Range = tuple[str, Any, Any]
"""A field with its lowest and highest value, both included."""

After = tuple[Any, str]
"""The place where a page ended: the value of the field it is ordered by, and the `_id`."""


class StoreState(StrEnum):
    """What the last operation learnt about the store; health shows it."""

    UNTRIED = "untried"
    UP = "up"
    AWAY = "away"
    DENIED = "denied"


class Collection(Protocol):
    """One collection. Each operation may raise what `libs.store.errors` lists."""

    async def insert(self, document: Mapping[str, Any]) -> bool:
        """True when written; False when its `_id` or a unique key is already there."""
        ...

    async def get(self, key: str) -> Document | None:
        """The document with this `_id`."""
        ...

    async def get_many(self, keys: Iterable[str]) -> list[Document]:
        """The documents with these ids, in the order asked; those that are not there are left out."""
        ...

    async def update(
        self,
        key: str,
        *,
        guard: Mapping[str, Any] = NOTHING,
        set: Mapping[str, Any] = NOTHING,  # noqa: A002 - the store's own word, always given by keyword
        unset: Sequence[str] = (),
        push: Mapping[str, Sequence[Any]] = NOTHING,
        pull: Mapping[str, Mapping[str, Any]] = NOTHING,
        inc: Mapping[str, int] = NOTHING,
    ) -> bool:
        """One atomic write; True when the document is there and the guard held.

        Args:
            key: The document's `_id`.
            guard: Path and plain value, all of which must hold.
            set: Path and new value.
            unset: Paths to take away.
            push: A list's path and the elements to append.
            pull: A list's path, and what the elements to take away have in common.
            inc: Path and amount; a missing field counts as 0.
        """
        ...

    async def put_many(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Sets the fields given for each id, and makes the documents that are not there. Unguarded, in any order.

        For what may be overwritten and may be lost in part, like the time an agent was last seen.
        """
        ...

    async def find(
        self,
        *,
        equals: Mapping[str, Any] = NOTHING,
        between: Range | None = None,
        order: str | None = None,
        newest_first: bool = False,
        after: After | None = None,
        limit: int,
    ) -> list[Document]:
        """At most `limit` documents, ordered by one field and then by `_id`.

        Args:
            equals: Path and plain value, all of which must hold.
            between: A closed range over one field.
            order: The field to order by; the one of `between` unless given, else the `_id`.
            newest_first: From the highest value down.
            after: Where the page before ended; what follows it in this order is returned. Only with `between` over the
                field that is ordered by, and not for a path through a list.
            limit: 1 to 10,000.

        Raises:
            StoreRefusedError: no index of the schema serves this query.
        """
        ...

    async def count(self, *, equals: Mapping[str, Any] = NOTHING, between: Range | None = None, limit: int) -> int:
        """How many documents a find would return: exact up to `limit`, which stands for "this many or more"."""
        ...

    async def delete(self, key: str, *, guard: Mapping[str, Any] = NOTHING) -> bool:
        """True when the document was there, the guard held, and it is gone."""
        ...


class Store(Protocol):
    """A connection to the store with the rights of one service."""

    @property
    def state(self) -> StoreState: ...

    def collection(self, name: CollectionName) -> Collection: ...

    async def ping(self) -> None:
        """Returns when the store answers and knows this service.

        Raises:
            StoreAwayError: it does not answer.
            StoreDeniedError: it does not know this service.
        """
        ...

    async def close(self) -> None:
        """Gives the connections back; nothing can be asked afterwards."""
        ...
