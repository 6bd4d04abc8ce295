"""The real engine: MongoDB, or the embedded store that speaks its protocol."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from bson.errors import BSONError
from pymongo import ASCENDING, DESCENDING, UpdateOne
from pymongo.errors import DuplicateKeyError, PyMongoError

from libs.store import operations
from libs.store.errors import StoreDeniedError, StoreError
from libs.store.mongo.client import Client, DriverCollection, connect
from libs.store.mongo.mapping import mapped
from libs.store.ports import NOTHING, After, Document, Range, StoreState
from libs.store.schema import CollectionName
from libs.wire.secret import Secret

T = TypeVar("T")

_CHUNK = 1_000
_NEIGHBOURS = 16


def open_store(url: str, user: str | None = None, password: Secret | None = None, prefix: str = "") -> "MongoStore":
    """A connection as `user`; nothing is sent before the first operation.

    Args:
        url: `mongodb://HOST:PORT/`, without credentials.
        user: The service's name; None where the store runs without users.
        password: The service's own.
        prefix: Before the names of databases and user, so that several systems share one store.
    """
    return MongoStore(connect(url, None if user is None else prefix + user, password), prefix)


class MongoStore:
    """One service's connection pool."""

    def __init__(self, client: Client, prefix: str = "") -> None:
        self._client = client
        self._prefix = prefix
        self.state = StoreState.UNTRIED

    def collection(self, name: CollectionName) -> "MongoCollection":
        return MongoCollection(self, name, self._client[self._prefix + name.database][name.collection])

    async def ping(self) -> None:
        await self.run(lambda: self._client.admin.command("ping"), writes=False)

    async def close(self) -> None:
        self._client.close()

    async def run(self, operation: Callable[[], Awaitable[T]], *, writes: bool) -> T:
        """One operation, with the driver's errors as the port's."""
        try:
            answer = await operation()
        except DuplicateKeyError:
            self.state = StoreState.UP
            raise
        except (PyMongoError, BSONError) as error:
            found = mapped(error, writes=writes)
            self.state = _learnt(found)
            raise found from error
        self.state = StoreState.UP
        return answer


class MongoCollection:
    """One collection as one service sees it."""

    def __init__(self, store: MongoStore, name: CollectionName, driver: DriverCollection) -> None:
        self._store = store
        self._name = name
        self._driver = driver

    async def insert(self, document: Mapping[str, Any]) -> bool:
        checked = operations.document(document)
        try:
            await self._store.run(lambda: self._driver.insert_one(checked), writes=True)
        except DuplicateKeyError:
            return False
        return True

    async def get(self, key: str) -> Document | None:
        return await self._store.run(lambda: self._driver.find_one({"_id": key}), writes=False)

    async def get_many(self, keys: Iterable[str]) -> list[Document]:
        wanted = list(keys)
        found: dict[str, Document] = {}
        for start in range(0, len(wanted), _CHUNK):
            some = {"_id": {"$in": wanted[start : start + _CHUNK]}}
            for document in await self._read(some, limit=_CHUNK):
                found[document["_id"]] = document
        return [found[key] for key in wanted if key in found]

    async def update(
        self,
        key: str,
        *,
        guard: Mapping[str, Any] = NOTHING,
        set: Mapping[str, Any] = NOTHING,  # noqa: A002 - as the port calls it
        unset: Sequence[str] = (),
        push: Mapping[str, Sequence[Any]] = NOTHING,
        pull: Mapping[str, Mapping[str, Any]] = NOTHING,
        inc: Mapping[str, int] = NOTHING,
    ) -> bool:
        held = operations.conditions(guard)
        change = operations.change(set=set, unset=unset, push=push, pull=pull, inc=inc)
        operators: Document = {
            "$set": change.set,
            "$unset": dict.fromkeys(change.unset, ""),
            "$push": {path: {"$each": elements} for path, elements in change.push.items()},
            "$pull": change.pull,
            "$inc": change.inc,
        }
        asked = {operator: paths for operator, paths in operators.items() if paths}
        try:
            done = await self._store.run(lambda: self._driver.update_one({"_id": key, **held}, asked), writes=True)
        except DuplicateKeyError as error:
            raise mapped(error, writes=True) from error
        return done.matched_count == 1

    async def put_many(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        writes = [
            UpdateOne({"_id": key}, {"$set": fields}, upsert=True) for key, fields in operations.puts(changes).items()
        ]
        if writes:
            await self._store.run(lambda: self._driver.bulk_write(writes, ordered=False), writes=True)

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
        query = operations.query(
            self._name,
            equals=equals,
            between=between,
            order=order,
            newest_first=newest_first,
            after=after,
            limit=limit,
        )
        direction = DESCENDING if query.newest_first else ASCENDING
        fields = [query.order] if query.order == "_id" else [query.order, "_id"]
        sort = [(field, direction) for field in fields]
        if query.after is None:
            return await self._read(_filter(query), sort=sort, limit=limit)
        return await self._read_on(query, sort)

    async def count(self, *, equals: Mapping[str, Any] = NOTHING, between: Range | None = None, limit: int) -> int:
        query = operations.query(
            self._name, equals=equals, between=between, order=None, newest_first=False, after=None, limit=limit
        )
        return len(await self._read(_filter(query), projection={"_id": 1}, limit=limit))

    async def delete(self, key: str, *, guard: Mapping[str, Any] = NOTHING) -> bool:
        held = operations.conditions(guard)
        done = await self._store.run(lambda: self._driver.delete_one({"_id": key, **held}), writes=True)
        return done.deleted_count == 1

    async def _read_on(self, query: operations.Query, sort: list[tuple[str, int]]) -> list[Document]:
        """A next page. The range begins at the value where the last page ended, which its neighbours there share.

        Those are left out here: asked by `$or`, the embedded store would give up the index.
        """
        more = _NEIGHBOURS
        while True:
            found = await self._read(_filter(query), sort=sort, limit=query.limit + more)
            rest = [document for document in found if _follows(document, query)]
            if len(rest) >= query.limit or len(found) < query.limit + more:
                return rest[: query.limit]
            more *= 8

    async def _read(self, wanted: Document, *, limit: int, **options: Any) -> list[Document]:
        return await self._store.run(
            lambda: self._driver.find(wanted, limit=limit, **options).to_list(limit), writes=False
        )


def _filter(query: operations.Query) -> Document:
    wanted = dict(query.equals)
    if query.between is not None:
        path, low, high = query.between
        wanted[path] = {"$gte": low, "$lte": high}
    return wanted


def _follows(document: Document, query: operations.Query) -> bool:
    """Whether `document`, which lies in the range, comes after the place where the last page ended."""
    value, key = query.after or (None, "")
    here: Any = document
    for part in query.order.split("."):
        here = here[part]
    if here != value:
        return True
    return bool(document["_id"] < key if query.newest_first else document["_id"] > key)


def _learnt(error: StoreError) -> StoreState:
    if error.retryable:
        return StoreState.AWAY
    return StoreState.DENIED if isinstance(error, StoreDeniedError) else StoreState.UP
