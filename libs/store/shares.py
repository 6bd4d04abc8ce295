"""Shares: what an owner lets a person or a group do with a resource, or with one account of it.

A share keeps when its resource came, which never changes. So the machines that somebody was given are read newest first
from an index, beside their own, and no list of all of them is ever needed.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from libs.store.paging import newest
from libs.store.ports import Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable
from libs.wire.ids import Noun, derived_id

MOST_SHARES = 500
"""On one resource, its accounts included: a decision reads all of them."""

_BATCH = 200


class Level(StrEnum):
    """How much; each has all that the one before has."""

    SEE = "see"  # states, proofs, history
    USE = "use"  # change, verify, reveal, cancel
    MANAGE = "manage"  # share it, let another agent serve it

    @property
    def rank(self) -> int:
        return list(Level).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Revised):
    """One, by an identifier that is derived from what it joins."""

    subject: str  # a user's or a group's id
    subject_name: str
    kind: Literal["person", "group"]
    resource: str
    resource_at: int  # when the resource came
    account: str | None = None  # one account alone; None: the resource with all of them
    account_name: str = ""
    level: Level
    created_at: int
    by: str  # a user's id
    by_name: str


def share_id(subject: str, resource: str, account: str | None) -> str:
    """The identifier of what `subject` was given of a resource, or of one account of it."""
    return derived_id(Noun.SHARE, subject, resource, account or "")


class Shares(TurningTable[Share]):
    """Every share."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.SHARES, Share)

    async def on(self, resource: str) -> list[Share]:
        """All on a resource and its accounts, oldest first."""
        everything = ("created_at", 0, 2**53)
        found = await self._collection.find(equals={"resource": resource}, between=everything, limit=MOST_SHARES)
        return self._all(found)

    async def given(self, subject: str, *, now: int, until: int) -> AsyncGenerator[Share]:
        """What was given to somebody, by their resources: the newest first, of those that came by `until`."""
        after = None
        while True:
            found = self._all(
                await newest(
                    self._collection,
                    field="resource_at",
                    equals={"subject": subject},
                    now=now,
                    limit=_BATCH,
                    after=after,
                    high=until,
                )
            )
            for each in found:
                yield each
            if len(found) < _BATCH:
                return
            after = (found[-1].resource_at, found[-1].id)

    async def remove(self, key: str) -> bool:
        """False when it was gone already."""
        return await self._collection.delete(key)
