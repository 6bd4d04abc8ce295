"""What only the twin can do: fail on demand, move time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from libs.store.errors import OutcomeUnknownError, StoreAwayError
from libs.store.memory.faults import Effect
from libs.store.memory.store import MemoryServer, MemoryStore
from libs.store.nonces import Nonces
from libs.store.ports import StoreState
from libs.store.record import to_date
from libs.store.schema import CollectionName, Service

NOW = 1_800_000_000_000

Operation = Callable[[MemoryStore], Awaitable[object]]

WRITES: list[Operation] = [
    lambda store: store.collection(CollectionName.USERS).insert({"_id": "new", "name": "new"}),
    lambda store: store.collection(CollectionName.USERS).update("old", set={"name": "new"}),
    lambda store: store.collection(CollectionName.USERS).put_many({"old": {"name": "new"}}),
    lambda store: store.collection(CollectionName.USERS).delete("old"),
]
READS: list[Operation] = [
    lambda store: store.ping(),
    lambda store: store.collection(CollectionName.USERS).get("old"),
    lambda store: store.collection(CollectionName.USERS).find(equals={"name": "old"}, limit=1),
]


async def _users(server: MemoryServer) -> list[tuple[str, str]]:
    users = server.store().collection(CollectionName.USERS)
    return [(each["_id"], each["name"]) for each in await users.get_many(["old", "new"])]


@pytest.fixture
async def server() -> MemoryServer:
    server = MemoryServer(lambda: NOW)
    await server.store().collection(CollectionName.USERS).insert({"_id": "old", "name": "old"})
    return server


@pytest.mark.parametrize("write", WRITES)
async def test_a_write_that_fails_before_its_effect_has_none(server: MemoryServer, write: Operation) -> None:
    store = server.store(Service.GATEWAY)
    store.faults.fail_at(1)
    with pytest.raises(StoreAwayError):
        await write(store)
    assert await _users(server) == [("old", "old")]
    assert store.state is StoreState.AWAY


@pytest.mark.parametrize("write", WRITES)
async def test_a_write_that_fails_after_its_effect_is_unknown(server: MemoryServer, write: Operation) -> None:
    store = server.store(Service.GATEWAY)
    store.faults.fail_at(1, Effect.AFTER)
    with pytest.raises(OutcomeUnknownError):
        await write(store)
    assert await _users(server) != [("old", "old")]


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize("read", READS)
async def test_a_read_that_fails_is_just_away(server: MemoryServer, read: Operation, effect: Effect) -> None:
    store = server.store()
    store.faults.fail_at(1, effect)
    with pytest.raises(StoreAwayError):
        await read(store)
    await read(store)


async def test_the_nth_operation_fails_and_no_other(server: MemoryServer) -> None:
    store = server.store()
    await store.ping()
    store.faults.fail_at(2)
    store.faults.fail_at(4)
    failed = []
    for n in range(1, 6):
        try:
            await store.ping()
        except StoreAwayError:
            failed.append(n)
    assert failed == [2, 4]


async def test_one_connection_is_away_while_the_others_go_on(server: MemoryServer) -> None:
    away, here = server.store(), server.store()
    away.faults.away = True
    with pytest.raises(StoreAwayError):
        await away.ping()
    await here.ping()
    away.faults.away = False
    await away.ping()


async def test_a_closed_connection_is_away(server: MemoryServer) -> None:
    store = server.store()
    await store.close()
    with pytest.raises(StoreAwayError):
        await store.ping()


async def test_a_document_goes_at_its_date_and_up_to_a_minute_later() -> None:
    now = NOW
    server = MemoryServer(lambda: now)
    nonces = server.store().collection(CollectionName.NONCES)
    await nonces.insert({"_id": "a", "expires": to_date(NOW + 1_000)})
    await nonces.insert({"_id": "for ever"})
    now += 60_999
    assert await nonces.get("a") is not None
    now += 1
    assert await nonces.get("a") is None
    assert await nonces.get("for ever") is not None


async def test_a_nonce_that_went_can_be_claimed_again() -> None:
    now = NOW
    server = MemoryServer(lambda: now)
    nonces = Nonces(server.store())
    assert await nonces.claim("key", "nonce", NOW + 1)
    assert not await nonces.claim("key", "nonce", NOW + 1)
    now += 61_000
    assert await nonces.claim("key", "nonce", now + 1)


async def test_no_operation_yields_in_its_middle(server: MemoryServer) -> None:
    users = server.store().collection(CollectionName.USERS)
    await asyncio.gather(*(users.update("old", inc={"n": 1}) for _ in range(100)))
    found = await users.get("old")
    assert found is not None
    assert found["n"] == 100
