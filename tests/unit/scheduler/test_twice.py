"""A message that comes twice and is worked on twice at the same moment: one of the two may be slow at any place."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from libs.store.memory.store import MemoryCollection, MemoryServer, MemoryStore
from libs.store.ports import NOTHING, Document
from libs.store.schema import CollectionName, Service
from libs.store.tasks import TaskState
from services.scheduler.graph import build
from services.scheduler.nonces import Nonces
from tests.unit.scheduler.host import Host
from tests.unit.scheduler.world import KEYS, World

CALLS = range(1, 15)
"""More calls of the store than a request takes until its job lies in the mail."""


class HeldStore(MemoryStore):
    """Waits before one of its calls, counted from 1, until it is let go."""

    def __init__(self, server: MemoryServer, at: int) -> None:
        super().__init__(server, Service.SCHEDULER)
        self.held, self.let_go = asyncio.Event(), asyncio.Event()
        self._left = at

    async def passes(self) -> None:
        self._left -= 1
        if self._left == 0:
            self.held.set()
            await self.let_go.wait()

    def collection(self, name: CollectionName) -> MemoryCollection:
        return HeldCollection(self, name)


class HeldCollection(MemoryCollection):
    """The calls that taking a request makes."""

    def __init__(self, store: HeldStore, name: CollectionName) -> None:
        super().__init__(store, name)
        self._held = store

    async def insert(self, document: Mapping[str, Any]) -> bool:
        await self._held.passes()
        return await super().insert(document)

    async def get(self, key: str) -> Document | None:
        await self._held.passes()
        return await super().get(key)

    async def update(self, key: str, *, guard: Mapping[str, Any] = NOTHING, **changes: Any) -> bool:
        await self._held.passes()
        return await super().update(key, guard=guard, **changes)

    async def find(self, **query: Any) -> list[Document]:
        await self._held.passes()
        return await super().find(**query)


@pytest.mark.parametrize("at", CALLS)
async def test_a_request_is_carried_out_once_wherever_its_second_message_is_slow(
    here: World, host: Host, at: int
) -> None:
    """The slow one found the request open, and the fast one has ended it before the slow one goes on."""
    store = HeldStore(here.server, at)
    slow = build(KEYS, store=store, broker=here.broker, clock=here.clock, nonces=Nonces(), lease=here.lease)
    task = await here.resets(host.account())
    taking = asyncio.ensure_future(slow.desk.take(task))
    await asyncio.wait({asyncio.ensure_future(store.held.wait()), taking}, return_when=asyncio.FIRST_COMPLETED)
    await here.settles(host, lambda: here.over(task))
    store.let_go.set()
    await taking
    await here.passes()
    assert await host.works() == 0
    account = await here.account(host.account())
    assert len(account.rotation.versions) == 1
    assert account.rotation.flight is None
    assert (await here.task(task)).state is TaskState.DONE
