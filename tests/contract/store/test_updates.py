"""One atomic write, guarded by what was read."""

from typing import Any

import pytest

from libs.store.errors import StoreRefusedError
from libs.store.ports import Collection, Store
from libs.store.schema import CollectionName

ACCOUNT = {
    "_id": "acc_a",
    "rev": 3,
    "name": "root",
    "resource": "res_a",
    "flight": None,
    "versions": [{"g": 2, "state": "offered"}, {"g": 1, "state": "proven"}],
    "outbox": [{"id": "evt_a", "at": 5}, {"id": "evt_b", "at": 6}],
    "locked": True,
}


@pytest.fixture
async def accounts(store: Store) -> Collection:
    collection = store.collection(CollectionName.ACCOUNTS)
    assert await collection.insert(ACCOUNT)
    return collection


async def account(accounts: Collection) -> dict[str, Any]:
    found = await accounts.get("acc_a")
    assert found is not None
    return found


async def test_set_where_the_guard_holds(accounts: Collection) -> None:
    assert await accounts.update("acc_a", guard={"rev": 3}, set={"rev": 4, "status": "pending"})
    assert await account(accounts) == {**ACCOUNT, "rev": 4, "status": "pending"}


@pytest.mark.parametrize(
    "guard",
    [
        {"rev": 2},
        {"rev": 3, "name": "other"},
        {"rev": "3"},
        {"rev": True},
        {"locked": 1},
        {"flight": "tsk_a"},
        {"nothing": "x"},
        {"name": None},
        {"outbox.id": "evt_c"},
        {"versions": "offered"},
    ],
)
async def test_nothing_where_it_does_not(accounts: Collection, guard: dict[str, Any]) -> None:
    assert not await accounts.update("acc_a", guard=guard, set={"rev": 9})
    assert await account(accounts) == ACCOUNT


@pytest.mark.parametrize(
    "guard",
    [
        {"flight": None},
        {"nothing": None},
        {"flight.task": None},
        {"locked": True},
        {"outbox.id": "evt_b"},
        {"versions.0.g": 2},
        {"versions.g": 1},
    ],
)
async def test_guards_that_hold(accounts: Collection, guard: dict[str, Any]) -> None:
    assert await accounts.update("acc_a", guard=guard, set={"rev": 9})
    assert (await account(accounts))["rev"] == 9


async def test_no_document_no_update(accounts: Collection) -> None:
    assert not await accounts.update("acc_b", set={"rev": 9})
    assert await accounts.get("acc_b") is None


async def test_a_document_that_already_is_so_counts_as_updated(accounts: Collection) -> None:
    assert await accounts.update("acc_a", set={"rev": 3})


async def test_dotted_paths(accounts: Collection) -> None:
    assert await accounts.update("acc_a", set={"versions.1.state": "old", "map.made.here": 1}, unset=["locked"])
    found = await account(accounts)
    assert found["versions"] == [{"g": 2, "state": "offered"}, {"g": 1, "state": "old"}]
    assert found["map"] == {"made": {"here": 1}}
    assert "locked" not in found


async def test_unset_of_what_is_not_there(accounts: Collection) -> None:
    assert await accounts.update("acc_a", unset=["nothing", "no.way.there"])
    assert await account(accounts) == ACCOUNT


async def test_push_appends_and_begins_a_list(accounts: Collection) -> None:
    assert await accounts.update("acc_a", push={"outbox": [{"id": "evt_c"}, {"id": "evt_d"}], "holds": ["h"]})
    found = await account(accounts)
    assert [entry["id"] for entry in found["outbox"]] == ["evt_a", "evt_b", "evt_c", "evt_d"]
    assert found["holds"] == ["h"]


async def test_pull_takes_one_entry_and_leaves_rev(accounts: Collection) -> None:
    assert await accounts.update("acc_a", pull={"outbox": {"id": "evt_a"}})
    assert await account(accounts) == {**ACCOUNT, "outbox": [{"id": "evt_b", "at": 6}]}
    assert await accounts.update("acc_a", pull={"outbox": {"id": "evt_a"}, "nothing": {"id": "evt_a"}})
    assert await accounts.update("acc_a", pull={"outbox": {"id": "evt_b", "at": 7}})
    assert len((await account(accounts))["outbox"]) == 1


async def test_inc_adds_and_begins_at_nothing(accounts: Collection) -> None:
    assert await accounts.update("acc_a", inc={"rev": 2, "counts.reveals": -1})
    found = await account(accounts)
    assert (found["rev"], found["counts"]) == (5, {"reveals": -1})


async def test_all_kinds_in_one_write(accounts: Collection) -> None:
    assert await accounts.update(
        "acc_a",
        guard={"rev": 3},
        set={"status": "in_sync"},
        unset=["flight"],
        push={"holds": [{"by": "ada"}]},
        pull={"outbox": {"id": "evt_b"}},
        inc={"rev": 1},
    )
    found = await account(accounts)
    assert found["rev"] == 4
    assert found["status"] == "in_sync"
    assert "flight" not in found
    assert found["holds"] == [{"by": "ada"}]
    assert found["outbox"] == [{"id": "evt_a", "at": 5}]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"set": {"_id": "acc_b"}},
        {"set": {"rev": 1}, "inc": {"rev": 1}},
        {"set": {"map": {}, "map.field": 1}},
        {"set": {"$where": 1}},
        {"set": {"a..b": 1}},
        {"set": {"f": {1, 2}}},
        {"set": {"name.first": "ada"}},
        {"push": {"name": ["x"]}},
        {"pull": {"name": {"id": "x"}}},
        {"inc": {"name": 1}},
        {"guard": {"outbox": []}, "set": {"rev": 1}},
        {"guard": {"flight": {"task": "x"}}, "set": {"rev": 1}},
    ],
)
async def test_a_wrong_update_is_refused_whole(accounts: Collection, change: dict[str, Any]) -> None:
    with pytest.raises(StoreRefusedError):
        await accounts.update("acc_a", **change)
    assert await account(accounts) == ACCOUNT


async def test_another_documents_unique_key_is_refused(store: Store) -> None:
    users = store.collection(CollectionName.USERS)
    await users.insert({"_id": "usr_a", "name": "ada"})
    await users.insert({"_id": "usr_b", "name": "bob"})
    with pytest.raises(StoreRefusedError):
        await users.update("usr_b", set={"name": "ada"})
    assert await users.get("usr_b") == {"_id": "usr_b", "name": "bob"}


async def test_put_many_sets_and_makes(store: Store) -> None:
    presence = store.collection(CollectionName.PRESENCE)
    await presence.insert({"_id": "agt_a", "last_seen": 1, "version": "0.1"})
    await presence.put_many({"agt_a": {"last_seen": 2}, "agt_b": {"last_seen": 3}})
    await presence.put_many({})
    assert await presence.get_many(["agt_a", "agt_b"]) == [
        {"_id": "agt_a", "last_seen": 2, "version": "0.1"},
        {"_id": "agt_b", "last_seen": 3},
    ]
