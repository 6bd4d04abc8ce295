"""A process's connection to the store: it takes time, it may fail, and whoever watches sees each write.

The twin in memory does each operation at once. Here time passes before it, and sometimes after it, so that two writers
meet, and a kill falls before an effect or between the effect and its answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from libs.store.errors import OutcomeUnknownError, StoreAwayError
from libs.store.memory.store import MemoryCollection, MemoryStore
from libs.store.ports import NOTHING, After, Document, Range, StoreState
from libs.store.schema import CollectionName
from tests.model.sim.process import Process
from tests.model.sim.trace import Trace
from tests.model.sim.weather import Weather

T = TypeVar("T")

Watch = Callable[[CollectionName], None]
_ANSWER_TAKES_TIME = 0.3


class SimStore:
    """A connection. `inner.faults` plans its failures."""

    def __init__(self, inner: MemoryStore, process: Process, weather: Weather, trace: Trace, watch: Watch) -> None:
        self.inner = inner
        self._process, self._weather, self._trace, self._watch = process, weather, trace, watch
        self._severed = False
        process.on_kill(self._sever)

    @property
    def state(self) -> StoreState:
        return self.inner.state

    def collection(self, name: CollectionName) -> "SimCollection":
        return SimCollection(self, name, self.inner.collection(name))

    async def ping(self) -> None:
        await self.act(None, "ping", self.inner.ping)

    async def close(self) -> None:
        await self.inner.close()

    async def act(self, name: CollectionName | None, what: str, operation: Callable[[], Awaitable[T]]) -> T:
        """One operation, on its way there and back."""
        if self._severed:
            raise StoreAwayError("this process is dead")
        await asyncio.sleep(self._weather.delay())
        place = f"{what} {name}"
        await self._process.operation(f"before {place}")
        planned = not self.inner.faults.away
        try:
            answer = await operation()
        except (StoreAwayError, OutcomeUnknownError) as error:
            if planned:
                after = isinstance(error, OutcomeUnknownError) or "lost" in str(error)
                self._trace.fault(f"store_call_{'after' if after else 'before'}", f"{self._process.name} {place}")
            raise
        finally:
            if name is not None and what not in ("get", "find"):
                self._watch(name)
        if self._weather.chance.random() < _ANSWER_TAKES_TIME:
            await asyncio.sleep(self._weather.delay())
        await self._process.operation(f"after {place}")
        return answer

    def _sever(self) -> None:
        self._severed = True


class SimCollection:
    """One collection as one process sees it."""

    def __init__(self, store: SimStore, name: CollectionName, inner: MemoryCollection) -> None:
        self._store, self._name, self._inner = store, name, inner

    async def insert(self, document: Mapping[str, Any]) -> bool:
        return await self._store.act(self._name, "insert", lambda: self._inner.insert(document))

    async def get(self, key: str) -> Document | None:
        return await self._store.act(self._name, "get", lambda: self._inner.get(key))

    async def get_many(self, keys: Iterable[str]) -> list[Document]:
        return await self._store.act(self._name, "get", lambda: self._inner.get_many(keys))

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
        return await self._store.act(
            self._name,
            "update",
            lambda: self._inner.update(key, guard=guard, set=set, unset=unset, push=push, pull=pull, inc=inc),
        )

    async def put_many(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        await self._store.act(self._name, "put", lambda: self._inner.put_many(changes))

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
        return await self._store.act(
            self._name,
            "find",
            lambda: self._inner.find(
                equals=equals, between=between, order=order, newest_first=newest_first, after=after, limit=limit
            ),
        )

    async def count(self, *, equals: Mapping[str, Any] = NOTHING, between: Range | None = None, limit: int) -> int:
        return await self._store.act(
            self._name, "find", lambda: self._inner.count(equals=equals, between=between, limit=limit)
        )

    async def delete(self, key: str, *, guard: Mapping[str, Any] = NOTHING) -> bool:
        return await self._store.act(self._name, "delete", lambda: self._inner.delete(key, guard=guard))
