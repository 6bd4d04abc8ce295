"""A store that is killed with -9: what was acknowledged is there afterwards, and the same connection goes on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.store import Store as EmbeddedStore
from libs.store.errors import StoreError
from libs.store.mongo.setup import set_up
from libs.store.mongo.store import open_store
from libs.store.ports import StoreState
from libs.store.schema import CollectionName


@pytest.fixture
def mortal(store_python: Path, parts_folder: Path) -> Iterator[EmbeddedStore]:
    embedded = EmbeddedStore(store_python, parts_folder / "mortal-store")
    embedded.start()
    yield embedded
    embedded.stop()


@pytest.mark.real
async def test_acknowledged_writes_survive_and_lost_answers_are_retryable(mortal: EmbeddedStore) -> None:
    await set_up(mortal.url, passwords={})
    store = open_store(mortal.url)
    users = store.collection(CollectionName.USERS)
    acknowledged: list[str] = []
    unknown: list[StoreError] = []
    enough = asyncio.Event()

    async def write(worker: int) -> None:
        for n in range(100_000):
            key = f"usr_{worker}_{n}"
            try:
                await users.insert({"_id": key, "name": key})
            except StoreError as error:
                unknown.append(error)
                return
            acknowledged.append(key)
            if len(acknowledged) >= 50:
                enough.set()

    async def kill() -> None:
        await enough.wait()
        mortal.kill()

    try:
        await asyncio.gather(kill(), *(write(worker) for worker in range(4)))
        assert len(unknown) == 4
        assert all(error.retryable for error in unknown)
        states = [store.state]
        await asyncio.to_thread(mortal.restart)
        await store.ping()
        assert [each["_id"] for each in await users.get_many(acknowledged)] == acknowledged
        assert await users.insert({"_id": "usr_after", "name": "after"})
        assert [*states, store.state] == [StoreState.AWAY, StoreState.UP]
    finally:
        await store.close()
