"""Accounts: the domain's own values, written by the scheduler alone."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from libs.domain.accounts import Account
from libs.domain.state import Status
from libs.store.errors import UnreadableDocumentError
from libs.store.ports import LAST_CHARACTER, After, Document, Store
from libs.store.schema import CollectionName
from libs.store.spread import Spread
from libs.store.table import TurningTable
from libs.wire.ids import Noun

_EVER = 2**53
_PAGE = 200


class Standing(NamedTuple):
    """What a list of machines needs of an account: a page shows hundreds, so they are not read whole."""

    id: str
    resource: str
    name: str
    status: Status


class Accounts(TurningTable[Account]):
    """The accounts of the vault."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.ACCOUNTS, Account)
        self._by_machine = Spread(self._collection, "resource", Noun.RESOURCE)

    async def of_resource(self, resource: str, *, limit: int = 10_000) -> list[Account]:
        """A resource's accounts, by name."""
        return self._all(await self._collection.find(equals={"resource": resource}, order="name", limit=limit))

    async def of_resource_after(self, resource: str, *, limit: int, after: After | None = None) -> list[Account]:
        """A page of a resource's accounts, by name; `after` is the (name, id) where the page before ended."""
        everything = ("name", "", LAST_CHARACTER)
        found = await self._collection.find(equals={"resource": resource}, between=everything, after=after, limit=limit)
        return self._all(found)

    async def standings(self, resource: str, *, limit: int) -> list[Standing]:
        """A resource's accounts in short, by name.

        Raises:
            UnreadableDocumentError: a document is no account's.
        """
        found = await self._collection.find(equals={"resource": resource}, order="name", limit=limit)
        return [_standing(document) for document in found]

    async def in_state(self, status: Status, *, limit: int, after: After | None = None) -> list[Standing]:
        """A page of the accounts in a state, a machine's together; `after` is the (resource, id) where one ended."""
        found = await self._by_machine.page({"rotation.status": status}, limit=limit, after=after)
        return [_standing(document) for document in found]

    async def count_in_state(self, status: Status, *, limit: int) -> int:
        """How many accounts are in a state; `limit` means that many or more."""
        return await self._by_machine.count({"rotation.status": status}, limit=limit)

    async def called(self, name: str, *, limit: int) -> list[Standing]:
        """Accounts with this name, in the order of their machines' identifiers."""
        return [_standing(document) for document in await self._by_machine.page({"name": name}, limit=limit)]

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


def _standing(document: Document) -> Standing:
    try:
        status = Status(document["rotation"]["status"])
        return Standing(document["_id"], document["resource"], document["name"], status)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableDocumentError(f"Account {document.get('_id')}: {type(error).__name__}") from error
