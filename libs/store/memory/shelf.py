"""The documents of one collection, and what a store does to them in one step."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from libs.store.errors import StoreRefusedError
from libs.store.memory.paths import edit, holds, place, rank, within
from libs.store.operations import Change, Query
from libs.store.ports import Document
from libs.store.schema import INDEXES, CollectionName
from libs.store.values import plain

_MONITOR = timedelta(seconds=60)
"""A document outlives its date by this much, as on a real store, so that a reader who trusts the store alone shows."""


class Shelf:
    """Documents by `_id`. Each method is one atomic step; what it takes is checked and copied already."""

    def __init__(self, name: CollectionName) -> None:
        self._documents: dict[str, Document] = {}
        self._unique = [index.fields for index in INDEXES[name] if index.unique]
        self._dates = [index.fields[0] for index in INDEXES[name] if index.ttl]

    def expire(self, now: datetime) -> None:
        """Takes away what a store would have taken away by `now`."""
        for path in self._dates:
            gone = [
                key
                for key, document in self._documents.items()
                if within(document, path, datetime.min.replace(tzinfo=UTC), now - _MONITOR)
            ]
            for key in gone:
                del self._documents[key]

    def insert(self, document: Document) -> bool:
        if document["_id"] in self._documents or self._taken(document):
            return False
        self._documents[document["_id"]] = document
        return True

    def get(self, key: str) -> Document | None:
        found = self._documents.get(key)
        return None if found is None else plain(found)

    def update(self, key: str, guard: Mapping[str, Any], change: Change) -> bool:
        """True when changed.

        Raises:
            StoreRefusedError: a path leads nowhere, or the change would take another document's unique key.
        """
        if not self._guarded(key, guard):
            return False
        changed = _changed(plain(self._documents[key]), change)
        if self._taken(changed):
            raise StoreRefusedError("a unique key that another document has")
        self._documents[key] = changed
        return True

    def put(self, changes: Mapping[str, Document]) -> None:
        for key, fields in changes.items():
            before = plain(self._documents.get(key, {"_id": key}))
            self._documents[key] = _changed(before, Change(fields, (), {}, {}, {}))

    def find(self, query: Query) -> list[Document]:
        found = [document for document in self._documents.values() if _matches(document, query)]
        found.sort(
            key=lambda document: (rank(document, query.order, highest=query.newest_first), document["_id"].encode()),
            reverse=query.newest_first,
        )
        return [plain(document) for document in found[: query.limit]]

    def delete(self, key: str, guard: Mapping[str, Any]) -> bool:
        if not self._guarded(key, guard):
            return False
        del self._documents[key]
        return True

    def _guarded(self, key: str, guard: Mapping[str, Any]) -> bool:
        document = self._documents.get(key)
        return document is not None and all(holds(document, path, value) for path, value in guard.items())

    def _taken(self, document: Document) -> bool:
        return any(
            _key(other, fields) == _key(document, fields)
            for fields in self._unique
            for other in self._documents.values()
            if other["_id"] != document["_id"]
        )


def _key(document: Document, fields: tuple[str, ...]) -> tuple[tuple[int, Any], ...]:
    return tuple(rank(document, path, highest=False) for path in fields)


def _matches(document: Document, query: Query) -> bool:
    if not all(holds(document, path, value) for path, value in query.equals.items()):
        return False
    if query.between is not None and not within(document, *query.between):
        return False
    if query.after is None:
        return True
    here = (rank(document, query.order, highest=query.newest_first), document["_id"].encode())
    there = (place(query.after[0]), query.after[1].encode())
    return here < there if query.newest_first else here > there


def _changed(document: Document, change: Change) -> Document:
    for path, value in change.set.items():
        edit(document, path, partial(_put, plain(value)))
    for path in change.unset:
        edit(document, path, _take, make=False)
    for path, elements in change.push.items():
        edit(document, path, partial(_push, plain(elements)))
    for path, common in change.pull.items():
        edit(document, path, partial(_pull, common), make=False)
    for path, amount in change.inc.items():
        edit(document, path, partial(_add, amount))
    return document


def _put(value: Any, container: Any, key: Any) -> None:
    container[key] = value


def _take(container: Any, key: Any) -> None:
    if isinstance(container, list):
        container[key] = None
    else:
        container.pop(key, None)


def _push(elements: list[Any], container: Any, key: Any) -> None:
    if isinstance(container, dict):
        container.setdefault(key, [])
    if not isinstance(container[key], list):
        raise StoreRefusedError(f"{key} is no list")
    container[key].extend(elements)


def _pull(common: Document, container: Any, key: Any) -> None:
    if isinstance(container, dict) and key not in container:
        return
    if not isinstance(container[key], list):
        raise StoreRefusedError(f"{key} is no list")
    container[key][:] = [element for element in container[key] if not _has(element, common)]


def _has(element: Any, common: Document) -> bool:
    return isinstance(element, dict) and all(holds(element, path, value) for path, value in common.items())


def _add(amount: int, container: Any, key: Any) -> None:
    now = container.get(key, 0) if isinstance(container, dict) else container[key]
    if isinstance(now, bool) or not isinstance(now, int):
        raise StoreRefusedError(f"{key} is no integer")
    container[key] = plain(now + amount)
