"""Groups of people, and who is in which: a document for each membership, so that a group may have any number."""

from dataclasses import dataclass

from libs.store.ports import After, Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table
from libs.wire.ids import Noun, derived_id

_LAST_NAME = "\U0010ffff"
MOST_GROUPS = 100
"""In how many groups one person may be: each request of theirs reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Record):
    """People with whom one shares at once. The name is unique and stays."""

    name: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Record):
    """One person in one group; its `id` is derived from both, so that nobody is in a group twice."""

    group: str
    user: str
    name: str  # the person's
    since: int


def membership_id(group: str, user: str) -> str:
    """The identifier of a person's membership."""
    return derived_id(Noun.MEMBERSHIP, group, user)


class Groups(Table[Group]):
    """Every group."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.GROUPS, Group)

    async def named(self, name: str) -> Group | None:
        """The group with this name."""
        found = await self._collection.find(equals={"name": name}, limit=1)
        return self._one(found[0]) if found else None

    async def page(self, *, now: int, limit: int, after: After | None = None) -> list[Group]:
        """Newest first; `after` is the (created_at, id) where the page before ended."""
        return await self._page(now=now, limit=limit, after=after)

    async def remove(self, key: str) -> bool:
        """False when it was gone already."""
        return await self._collection.delete(key)


class Members(Table[Membership]):
    """Who is in which group."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.MEMBERS, Membership)

    async def of_group(self, group: str, *, limit: int, after: After | None = None) -> list[Membership]:
        """The members by name; `after` is the (name, id) where the page before ended."""
        everybody = ("name", "", _LAST_NAME)
        return self._all(
            await self._collection.find(equals={"group": group}, between=everybody, after=after, limit=limit)
        )

    async def of_user(self, user: str) -> list[Membership]:
        """The groups that a person is in."""
        return self._all(await self._collection.find(equals={"user": user}, limit=MOST_GROUPS))

    async def remove(self, key: str) -> bool:
        """False when the person was not in it."""
        return await self._collection.delete(key)
