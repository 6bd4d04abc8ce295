"""Long lists in the order of identifiers, by closed ranges.

Identifiers are random, so they are spread evenly, and a range over their first four characters holds a share of the
documents that its width tells. A page is asked for in windows one beside the other, each eight times as wide as the one
before; `Widths` remember which one served. Nothing else is as narrow for a question that most documents answer: which
accounts are in sync, which are called root.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any

from libs.store.paging import Widths
from libs.store.ports import After, Collection, Document, Range
from libs.wire.ids import Noun

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
"""Of an identifier, in the order in which a store compares them."""

_SIGNIFICANT = 4
_ALL: int = len(_DIGITS) ** _SIGNIFICANT
_FIRST_WIDTH, _GROWTH, _SPARE = _ALL // 32, 8, 1.5
_LAST = "~"
"""Compares higher than every character of an identifier."""


class Spread:
    """The documents of a collection by a field that holds identifiers of one noun.

    Each question is asked with equalities that an index has before `field`.
    """

    def __init__(self, collection: Collection, field: str, noun: Noun) -> None:
        self._collection, self._field, self._prefix = collection, field, f"{noun}_"
        self._widths = Widths()

    async def page(self, equals: Mapping[str, Any], *, limit: int, after: After | None = None) -> list[Document]:
        """At most `limit` documents; `after` is the (identifier in the field, `_id`) where the page before ended."""
        found: list[Document] = []
        begin = 0 if after is None else self._place(after[0])
        question = ("page", *sorted(equals.items()))
        for between, end in self._windows(begin, question):
            found += await self._collection.find(equals=equals, between=between, after=after, limit=limit - len(found))
            if len(found) >= limit:
                self._widths.learn(question, self._share(self._place(str(found[-1][self._field])) - begin))
                break
            after = None
            self._widths.learn(question, end - begin)
        return found

    async def count(self, equals: Mapping[str, Any], *, limit: int) -> int:
        """How many there are; `limit` means that many or more."""
        total = 0
        question = ("count", *sorted(equals.items()))
        for between, end in self._windows(0, question):
            total += await self._collection.count(equals=equals, between=between, limit=limit - total)
            self._widths.learn(question, end)
            if total >= limit:
                break
        return total

    def _windows(self, begin: int, question: tuple[Any, ...]) -> Iterator[tuple[Range, int]]:
        """Closed ranges one beside the other, each with the place where it ends."""
        width = self._widths.of(question) or _FIRST_WIDTH
        while begin < _ALL:
            end = min(begin + width, _ALL)
            low = self._text(begin) if begin else self._prefix
            high = (self._text(end - 1) if end < _ALL else self._prefix) + _LAST
            yield (self._field, low, high), end
            begin, width = end, width * _GROWTH

    def _share(self, covered: int) -> int:
        return max(1, int(covered * _SPARE))

    def _place(self, identifier: str) -> int:
        """Where an identifier stands among all, 0 to 32 ** 4; text that is none stands near."""
        place = 0
        for character in identifier.removeprefix(self._prefix)[:_SIGNIFICANT].ljust(_SIGNIFICANT, _DIGITS[0]):
            place = place * len(_DIGITS) + min(bisect_left(_DIGITS, character), len(_DIGITS) - 1)
        return place

    def _text(self, place: int) -> str:
        """The lowest beginning of an identifier at a place."""
        digits = ""
        for _ in range(_SIGNIFICANT):
            place, digit = divmod(place, len(_DIGITS))
            digits = _DIGITS[digit] + digits
        return self._prefix + digits
