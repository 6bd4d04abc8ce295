"""The rights table is what the store lets each service do: every cell of it, tried.

A stolen password of the gateway's user must not change an account; only the store itself can see to that.
"""

import asyncio

import pytest

from libs.store.errors import StoreAwayError, StoreDeniedError
from libs.store.mongo.store import open_store
from libs.store.ports import Collection, StoreState
from libs.store.schema import Action, CollectionName, Database, Service, allowed
from libs.wire.secret import Secret
from tests.contract.store.engine import Engine, RealStore, driver

ONE_OF_EACH = {name.database: name for name in CollectionName}


def enforces_users(real: RealStore) -> bool:
    with driver(real.url) as client:
        status = client.admin.command("connectionStatus")
    return bool(status["authInfo"]["authenticatedUsers"])


async def attempt(collection: Collection, action: Action) -> None:
    if action is Action.FIND:
        await collection.get("x")
    elif action is Action.INSERT:
        await collection.insert({"_id": "x"})
    elif action is Action.UPDATE:
        await collection.update("x", set={"f": 1})
    else:
        await collection.delete("x")


@pytest.mark.parametrize("service", Service)
async def test_each_service_may_do_what_the_table_says_and_nothing_else(engine: Engine, service: Service) -> None:
    if isinstance(engine, RealStore) and not enforces_users(engine):
        pytest.skip("STORE names a store that is used without a user, so it enforces no rights")
    store = engine.store(service)
    wrong: list[str] = []
    for database in Database:
        name = ONE_OF_EACH[database]
        for action in Action:
            may = allowed(service, name, action)
            try:
                await attempt(store.collection(name), action)
            except StoreDeniedError:
                did = False
            else:
                did = True
            if did is not may:
                wrong.append(f"{action} in {database}: {did}")
    assert wrong == []


async def test_a_bulk_write_is_denied_as_well(engine: Engine) -> None:
    if isinstance(engine, RealStore) and not enforces_users(engine):
        pytest.skip("STORE names a store that is used without a user, so it enforces no rights")
    gateway = engine.store(Service.GATEWAY)
    await gateway.collection(CollectionName.PRESENCE).put_many({"agt_a": {"last_seen": 1}})
    # In the mail, where the gateway may update, the embedded store lets an upsert pass too: a forged job is not signed.
    with pytest.raises(StoreDeniedError) as denied:
        await gateway.collection(CollectionName.ACCOUNTS).put_many({"acc_a": {"status": "forged"}})
    assert not denied.value.retryable
    assert await engine.store().collection(CollectionName.ACCOUNTS).get("acc_a") is None


@pytest.mark.real
async def test_a_wrong_password_is_denied(real_engine: RealStore) -> None:
    store = open_store(real_engine.url, Service.GATEWAY, Secret("wrong"), prefix=real_engine.prefix)
    try:
        with pytest.raises(StoreDeniedError):
            await store.ping()
        assert store.state is StoreState.DENIED
    finally:
        await store.close()


@pytest.mark.real
async def test_a_store_that_is_away_says_so() -> None:
    store = open_store("mongodb://127.0.0.1:9/")
    try:
        users = store.collection(CollectionName.USERS)
        answers = await asyncio.gather(
            store.ping(), users.get("usr_a"), users.insert({"_id": "usr_a"}), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [StoreAwayError] * 3
        assert store.state is StoreState.AWAY
    finally:
        await store.close()
