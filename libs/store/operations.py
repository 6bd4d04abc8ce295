"""What both engines check before they act, so that a wrong operation fails alike in a unit test and in production."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libs.store.errors import StoreRefusedError
from libs.store.ports import After, Document, Range
from libs.store.schema import INDEXES, CollectionName
from libs.store.values import plain, scalar

_MOST = 10_000


@dataclass(frozen=True)
class Change:
    """One checked update: plain values, and no path written twice."""

    set: Document
    unset: tuple[str, ...]
    push: dict[str, list[Any]]
    pull: dict[str, Document]
    inc: dict[str, int]


@dataclass(frozen=True)
class Query:
    """One checked search: served by an index, with its order spelt out."""

    equals: Document
    between: Range | None
    order: str
    newest_first: bool
    after: After | None
    limit: int


def document(given: Mapping[str, Any]) -> Document:
    """A plain copy of a document with a text `_id`."""
    copy: Document = plain(given)
    if not isinstance(copy.get("_id"), str) or not copy["_id"]:
        raise StoreRefusedError("a document needs a text _id")
    return copy


def conditions(given: Mapping[str, Any]) -> Document:
    """Checked equalities."""
    return {_path(path): scalar(value) for path, value in given.items()}


def change(
    *,
    set: Mapping[str, Any],  # noqa: A002 - as the port calls it
    unset: Sequence[str],
    push: Mapping[str, Sequence[Any]],
    pull: Mapping[str, Mapping[str, Any]],
    inc: Mapping[str, int],
) -> Change:
    """A checked update.

    Raises:
        StoreRefusedError: nothing to do, the `_id` changed, or one path written twice.
    """
    paths = [_path(path) for part in (set, unset, push, pull, inc) for path in part]
    if not paths:
        raise StoreRefusedError("an update that changes nothing")
    for n, path in enumerate(paths):
        if path.split(".")[0] == "_id":
            raise StoreRefusedError("the _id never changes")
        for other in paths[n + 1 :]:
            if f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}."):
                raise StoreRefusedError(f"{path} and {other} in one update")
    return Change(
        set={path: plain(value) for path, value in set.items()},
        unset=tuple(unset),
        push={path: [plain(element) for element in elements] for path, elements in push.items()},
        pull={path: conditions(common) for path, common in pull.items()},
        inc={path: plain(amount) for path, amount in inc.items()},
    )


def puts(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Document]:
    """Checked fields by `_id`, for `put_many`."""
    return {key: change(set=fields, unset=(), push={}, pull={}, inc={}).set for key, fields in given.items()}


def query(
    name: CollectionName,
    *,
    equals: Mapping[str, Any],
    between: Range | None,
    order: str | None,
    newest_first: bool,
    after: After | None,
    limit: int,
) -> Query:
    """A checked search.

    Raises:
        StoreRefusedError: no index serves it, or a limit out of range.
    """
    if not 1 <= limit <= _MOST:
        raise StoreRefusedError(f"a limit of {limit}")
    checked = conditions(equals)
    ranged = None if between is None else (_path(between[0]), scalar(between[1]), scalar(between[2]))
    by = order or (ranged[0] if ranged else "_id")
    if ranged and ranged[0] in checked:
        raise StoreRefusedError(f"{ranged[0]} both equal and ranged over")
    if not _served(name, checked, ranged[0] if ranged else None, by):
        raise StoreRefusedError(f"no index of {name} serves equals={sorted(checked)} between={ranged} order={by}")
    if after is None:
        return Query(checked, ranged, by, newest_first, None, limit)
    if ranged is None or ranged[0] != by:
        raise StoreRefusedError("a next page is a closed range over the field that the pages are ordered by")
    place = (scalar(after[0]), after[1])
    rest = (by, ranged[1], place[0]) if newest_first else (by, place[0], ranged[2])
    return Query(checked, rest, by, newest_first, place, limit)


def _served(name: CollectionName, equals: Document, ranged: str | None, order: str) -> bool:
    """Whether an index leads to the documents: equal fields first, then the one that is ranged over or ordered by."""
    last = ranged or (None if order == "_id" else order)
    for index in INDEXES[name]:
        lead = 0
        while lead < len(index.fields) and index.fields[lead] in equals:
            lead += 1
        if last is None and lead:
            return True
        if (
            last is not None
            and lead < len(index.fields)
            and index.fields[lead] == last
            and (lead or ranged or not equals)
        ):
            return True
    return False


def _path(path: str) -> str:
    if not path or any(not part or part.startswith("$") for part in path.split(".")):
        raise StoreRefusedError(f"{path!r} is no path")
    return path
