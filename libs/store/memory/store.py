"""The twin in memory: one `MemoryServer` is the store, and `store(service)` a connection with that service's rights."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from libs.store import operations
from libs.store.errors import StoreAwayError, StoreDeniedError, StoreError
from libs.store.memory.faults import Faults
from libs.store.memory.shelf import Shelf
from libs.store.ports import NOTHING, After, Document, Range, StoreState
from libs.store.schema import Action, CollectionName, Service, allowed

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryServer:
    """What the connections share.

    Args:
        clock: Unix milliseconds, for the dates at which documents go.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._shelves = {name: Shelf(name) for name in CollectionName}

    def shelf(self, name: CollectionName) -> Shelf:
        found = self._shelves[name]
        found.expire(_EPOCH + timedelta(milliseconds=self._clock()))
        return found

    def store(self, service: Service | None = None) -> "MemoryStore":
        """A connection with the rights of `service`, or of an administrator."""
        return MemoryStore(self, service)


class MemoryStore:
    """One connection. `faults` plans what goes wrong on it; other connections go on."""

    def __init__(self, server: MemoryServer, service: Service | None = None) -> None:
        self._server = server
        self._service = service
        self._open = True
        self.faults = Faults()
        self.state = StoreState.UNTRIED

    def collection(self, name: CollectionName) -> "MemoryCollection":
        return MemoryCollection(self, name)

    async def ping(self) -> None:
        self._act(lambda: None, writes=False)

    async def close(self) -> None:
        self._open = False

    def run(self, name: CollectionName, actions: Sequence[Action], step: Callable[[Shelf], T]) -> T:
        """One step on a collection, as far as rights and planned failures let it."""

        def permitted() -> T:
            for action in actions:
                if self._service is not None and not allowed(self._service, name, action):
                    raise StoreDeniedError(f"{self._service} may not {action} in {name.database}")
            return step(self._server.shelf(name))

        return self._act(permitted, writes=any(action is not Action.FIND for action in actions))

    def _act(self, operation: Callable[[], T], *, writes: bool) -> T:
        try:
            if not self._open:
                raise StoreAwayError("this connection is closed")
            answer = self.faults.run(operation, writes=writes)
        except StoreError as error:
            self.state = StoreState.AWAY if error.retryable else self.state
            raise
        self.state = StoreState.UP
        return answer


class MemoryCollection:
    """One collection as one connection sees it."""

    def __init__(self, store: MemoryStore, name: CollectionName) -> None:
        self._store = store
        self._name = name

    async def insert(self, document: Mapping[str, Any]) -> bool:
        checked = operations.document(document)
        return self._run((Action.INSERT,), lambda shelf: shelf.insert(checked))

    async def get(self, key: str) -> Document | None:
        return self._run((Action.FIND,), lambda shelf: shelf.get(key))

    async def get_many(self, keys: Iterable[str]) -> list[Document]:
        wanted = list(keys)
        found = self._run((Action.FIND,), lambda shelf: [shelf.get(key) for key in wanted])
        return [document for document in found if document is not None]

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
        return self._run((Action.UPDATE,), lambda shelf: shelf.update(key, held, change))

    async def put_many(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        checked = operations.puts(changes)
        self._run((Action.UPDATE, Action.INSERT), lambda shelf: shelf.put(checked))

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
        return self._run((Action.FIND,), lambda shelf: shelf.find(query))

    async def count(self, *, equals: Mapping[str, Any] = NOTHING, between: Range | None = None, limit: int) -> int:
        return len(await self.find(equals=equals, between=between, limit=limit))

    async def delete(self, key: str, *, guard: Mapping[str, Any] = NOTHING) -> bool:
        held = operations.conditions(guard)
        return self._run((Action.REMOVE,), lambda shelf: shelf.delete(key, held))

    def _run(self, actions: Sequence[Action], step: Callable[[Shelf], T]) -> T:
        return self._store.run(self._name, actions, step)
