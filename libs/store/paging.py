"""Long lists by closed ranges: pages, whole scans, and what was left lying.

A page is asked for in windows from its newest end, one beside the other: of an hour, a day, thirty days, all the rest.
An embedded store reads every document of a range before it cuts it to the limit, so a range is kept as narrow as the
page needs; whoever asks often gives `Widths`, which begin with the window that the last such page would have needed. A
page ends at a place (value, id), and the next one begins after it: nothing is skipped or shown twice however many
documents share a moment.
"""

from collections.abc import AsyncIterator, Hashable, Mapping
from typing import Any

from libs.store.ports import NOTHING, After, Collection, Document, Range

_HOUR = 3_600_000
_WINDOWS = (_HOUR, 24 * _HOUR, 30 * 24 * _HOUR)
_EVER = 2**53
_LEAST = 60_000
_REMEMBERED = 1_000


class Widths:
    """How wide a window served each question last, in the unit of what it ranges over."""

    def __init__(self) -> None:
        self._served: dict[Hashable, int] = {}

    def of(self, question: Hashable) -> int | None:
        """What to begin with; None where nothing is known."""
        return self._served.get(question)

    def learn(self, question: Hashable, width: int) -> None:
        """This much would have served: the next time begins with it, and corrects it again."""
        if len(self._served) >= _REMEMBERED:
            self._served.clear()
        self._served[question] = width


async def newest(
    collection: Collection,
    *,
    field: str,
    now: int,
    limit: int,
    equals: Mapping[str, Any] = NOTHING,
    after: After | None = None,
    low: int = 0,
    high: int = _EVER,
    widths: Widths | None = None,
) -> list[Document]:
    """A page of documents, newest first.

    Args:
        collection: Where.
        field: A moment in Unix milliseconds that each document has; indexed, alone or after the fields of `equals`.
        now: The moment; what lies in the future is shown as well.
        limit: 1 to 10,000.
        equals: As in `Collection.find`.
        after: The place where the page before ended.
        low: The oldest moment to show.
        high: The newest moment to show.
        widths: What pages like this one needed before.
    """
    question = (field, tuple(sorted(equals.items())), after is None)
    anchor = min(now, high) if after is None else after[0]
    known = None if widths is None else widths.of(question)
    windows = _WINDOWS if known is None else (known, *(each for each in _WINDOWS if each > known))
    found: list[Document] = []
    top, place = high, after
    for window in (*windows, None):
        bottom = low if window is None else max(low, anchor - window)
        found += await collection.find(
            equals=equals, between=(field, bottom, top), newest_first=True, after=place, limit=limit - len(found)
        )
        if len(found) >= limit or bottom == low:
            break
        top, place = bottom - 1, None
    if widths is not None:
        full = len(found) >= limit
        widths.learn(question, max(_LEAST, 2 * (anchor - _at(found[-1], field))) if full else _EVER)
    return found


async def left_lying(
    collection: Collection, *, field: str, equals: Mapping[str, Any], now: int, patience: int, limit: int
) -> list[Document]:
    """Documents that nobody came for within `patience` milliseconds, oldest first.

    Then those of the future: a clock that was ahead wrote them, and has been put back since.
    """
    found = await collection.find(equals=equals, between=(field, 0, now - patience), limit=limit)
    if len(found) < limit:
        ahead = (field, now + 1, _EVER)
        found += await collection.find(equals=equals, between=ahead, limit=limit - len(found))
    return found


async def scan(
    collection: Collection, *, between: Range, equals: Mapping[str, Any] = NOTHING, batch: int = 500
) -> AsyncIterator[Document]:
    """Every document of a closed range, in order, `batch` at a time. What is written meanwhile may or may not come."""
    after: After | None = None
    while True:
        found = await collection.find(equals=equals, between=between, after=after, limit=batch)
        for document in found:
            yield document
        if len(found) < batch:
            return
        last = found[-1]
        after = (_at(last, between[0]), last["_id"])


def _at(document: Document, path: str) -> Any:
    here: Any = document
    for part in path.split("."):
        here = here[part]
    return here
