"""The audit as a chain: each record holds the hash of the one before it, so none is changed, left out or put between.

    {..., "seq": n, "prev": hash of n-1 ("" for the first), "hash": SHA-256 over the canonical record without "hash"}

Each service has a chain of its own. Who holds a chain's end (its last number and hash) from an earlier day can tell
that nothing before it was rewritten since; without it, a chain tells only that it fits together: whoever can write the
store can write a whole new one. An export of some records shows each to be whole, and where others are left out.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from libs.wire.encoding import canonical

_PREFIX = b"keyturn/audit/1\n"


class Link(NamedTuple):
    """A place in a chain: a record's number and hash."""

    seq: int
    hash: str


START = Link(0, "")
"""Before the first record."""


def hash_of(record: Mapping[str, Any]) -> str:
    """The hash that a record with its `seq` and `prev` should have, hexadecimal."""
    told = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(_PREFIX + canonical(told)).hexdigest()


def linked(record: Mapping[str, Any], before: Link) -> dict[str, Any]:
    """The record as the next one after `before`."""
    placed = {**record, "seq": before.seq + 1, "prev": before.hash}
    return {**placed, "hash": hash_of(placed)}


@dataclass
class Chain:
    """What an export holds of one service's chain; each record may come at any time."""

    links: dict[int, tuple[str, str]] = field(default_factory=dict)  # by number: hash, hash before
    faults: list[str] = field(default_factory=list)

    def add(self, record: Mapping[str, Any]) -> None:
        """Looks at one record."""
        try:
            seq, own, before = int(record["seq"]), str(record["hash"]), str(record["prev"])
        except (KeyError, TypeError, ValueError):
            self.faults.append("a record has no place in the chain")
            return
        if hash_of(record) != own:
            self.faults.append(f"record {seq} was changed after it was written")
        if seq in self.links and self.links[seq] != (own, before):
            self.faults.append(f"record {seq} is there twice, with different content")
        self.links[seq] = (own, before)

    def check(self) -> Iterator[str]:
        """What is wrong, in words."""
        yield from self.faults
        for seq, (_, before) in sorted(self.links.items()):
            known = self.links.get(seq - 1)
            if known is not None and known[0] != before:
                yield f"record {seq} does not follow record {seq - 1}: one of them was put there later"
            if seq == 1 and before:
                yield "record 1 follows another one"

    @property
    def gaps(self) -> int:
        """How many records between the first and the last are not there."""
        return max(self.links) - min(self.links) + 1 - len(self.links) if self.links else 0

    @property
    def end(self) -> Link:
        """The last record."""
        if not self.links:
            return START
        last = max(self.links)
        return Link(last, self.links[last][0])


def chains(lines: Iterable[Mapping[str, Any]]) -> dict[str, Chain]:
    """The chains of an export, by service: each line is {"service": ..., "record": {...}}.

    Raises:
        ValueError: a line is something else.
    """
    found: dict[str, Chain] = {}
    for number, line in enumerate(lines, 1):
        service, record = line.get("service"), line.get("record")
        if not isinstance(service, str) or not isinstance(record, Mapping):
            raise ValueError(f"line {number} is no record of an audit export")  # noqa: TRY004 - the file's content is wrong
        found.setdefault(service, Chain()).add(record)
    return found
