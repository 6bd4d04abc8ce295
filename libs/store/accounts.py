"""Accounts: the domain's own values, written by the scheduler alone."""

from collections.abc import AsyncIterator

from libs.domain.accounts import Account
from libs.store.ports import After, Store
from libs.store.schema import CollectionName
from libs.store.table import TurningTable

_LAST_NAME = "\U0010ffff"
"""No name sorts after it."""

_EVER = 2**53
_PAGE = 200


class Accounts(TurningTable[Account]):
    """The accounts of the vault."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.ACCOUNTS, Account)

    async def of_resource(self, resource: str, *, limit: int = 10_000) -> list[Account]:
        """A resource's accounts, by name."""
        return self._all(await self._collection.find(equals={"resource": resource}, order="name", limit=limit))

    async def of_resource_after(self, resource: str, *, limit: int, after: After | None = None) -> list[Account]:
        """A page of a resource's accounts, by name; `after` is the (name, id) where the page before ended."""
        everything = ("name", "", _LAST_NAME)
        found = await self._collection.find(equals={"resource": resource}, between=everything, after=after, limit=limit)
        return self._all(found)

    async def named(self, resource: str, name: str) -> list[Account]:
        """A resource's accounts of this name: one that was made anew on its host is another beside the old one."""
        return self._all(await self._collection.find(equals={"resource": resource, "name": name}, limit=100))

    async def each_of_resource(self, resource: str) -> AsyncIterator[Account]:
        """All of a resource's accounts, by name, however many: they are read page by page."""
        after = None
        while page := await self.of_resource_after(resource, limit=_PAGE, after=after):
            for account in page:
                yield account
            after = (page[-1].name, page[-1].id)

    async def due(self, now: int, limit: int = 100) -> list[Account]:
        """The accounts that the sweeper has to look at by `now`, longest overdue first."""
        return self._all(await self._collection.find(between=("due_at", 0, now), limit=limit))

    async def due_after(self, now: int, *, limit: int, after: After | None = None) -> list[Account]:
        """A page of the accounts to be looked at later; `after` is the (due_at, id) where the page before ended."""
        found = await self._collection.find(between=("due_at", now + 1, _EVER), after=after, limit=limit)
        return self._all(found)

    async def with_ended(self, limit: int = 100) -> list[Account]:
        """The accounts with requests that ended and are not yet written to their tasks."""
        return self._all(await self._collection.find(between=("ended.at", 0, _EVER), limit=limit))

    async def look_again(self, account: Account, at: int | None) -> bool:
        """Moves the sweeper's next look; False when the account was turned since it was read, which set its own."""
        return await self._collection.update(account.id, guard={"rev": account.rev}, set={"due_at": at})

    async def forget_ended(self, key: str, task: str) -> bool:
        """The task document says that this request ended. Leaves `rev`, so that nobody who turns the account loses."""
        return await self._collection.update(key, pull={"ended": {"task": task}})
