"""Documents go in once, come out as they were, and are nobody else's to change."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest

from libs.store.errors import StoreRefusedError
from libs.store.ports import Store, StoreState
from libs.store.schema import CollectionName


class Colour(StrEnum):
    RED = "red"


async def test_a_document_comes_out_as_it_went_in(store: Store) -> None:
    users = store.collection(CollectionName.USERS)
    given = {
        "_id": "usr_a",
        "name": "ada",
        "text": "ünï\0code 🔑",
        "small": 7,
        "large": 2**63 - 1,
        "negative": -(2**63),
        "half": 0.5,
        "yes": True,
        "none": None,
        "raw": bytes(range(256)),
        "list": [1, "two", [3], {"four": 4}],
        "map": {"deep": {"deeper": []}},
        "expires": datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
    }
    assert await users.insert(given)
    assert await users.get("usr_a") == given


async def test_types_are_made_plain(store: Store) -> None:
    users = store.collection(CollectionName.USERS)
    moment = datetime(2030, 1, 2, 5, 4, 5, 678912, tzinfo=timezone(timedelta(hours=2)))
    assert await users.insert({"_id": "usr_a", "name": Colour.RED, "pair": (1, 2), "at": moment})
    found = await users.get("usr_a")
    assert found == {
        "_id": "usr_a",
        "name": "red",
        "pair": [1, 2],
        "at": datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
    }
    assert type(found["name"]) is str


@pytest.mark.parametrize(
    "field",
    [
        {"f": {1, 2}},
        {"f": 2**63},
        {"f": datetime(2030, 1, 1)},  # noqa: DTZ001 - the case is a date without its zone
        {"f": object()},
        {"$f": 1},
        {"a.b": 1},
        {"m": {"": 1}},
        {"nul\0": 1},
        {"_id": 5},
        {"_id": ""},
    ],
)
async def test_what_no_document_can_hold_is_refused(store: Store, field: dict[str, Any]) -> None:
    users = store.collection(CollectionName.USERS)
    with pytest.raises(StoreRefusedError):
        await users.insert({"_id": "usr_a", "name": "ada", **field})
    assert await users.get("usr_a") is None


async def test_an_id_is_given_once(store: Store) -> None:
    users = store.collection(CollectionName.USERS)
    assert await users.insert({"_id": "usr_a", "name": "ada"})
    assert not await users.insert({"_id": "usr_a", "name": "bob"})
    assert await users.get("usr_a") == {"_id": "usr_a", "name": "ada"}


async def test_a_unique_field_is_given_once(store: Store) -> None:
    users = store.collection(CollectionName.USERS)
    assert await users.insert({"_id": "usr_a", "name": "ada"})
    assert not await users.insert({"_id": "usr_b", "name": "ada"})
    assert await users.get("usr_b") is None
    assert await users.delete("usr_a")
    assert await users.insert({"_id": "usr_b", "name": "ada"})


async def test_a_unique_pair_is_given_once(store: Store) -> None:
    chunks = store.collection(CollectionName.CHUNKS)
    assert await chunks.insert({"_id": "a", "runtime": "x", "n": 0})
    assert await chunks.insert({"_id": "b", "runtime": "x", "n": 1})
    assert await chunks.insert({"_id": "c", "runtime": "y", "n": 0})
    assert not await chunks.insert({"_id": "d", "runtime": "y", "n": 0})


async def test_no_one_shares_a_document(store: Store) -> None:
    users = store.collection(CollectionName.USERS)
    given = {"_id": "usr_a", "name": "ada", "list": [{"n": 1}]}
    await users.insert(given)
    given["list"][0]["n"] = 2  # type: ignore[index]
    first = await users.get("usr_a")
    assert first is not None
    first["list"][0]["n"] = 3
    assert await users.get("usr_a") == {"_id": "usr_a", "name": "ada", "list": [{"n": 1}]}


async def test_many_come_in_the_order_asked(store: Store) -> None:
    users = store.collection(CollectionName.USERS)
    for letter in "abc":
        await users.insert({"_id": f"usr_{letter}", "name": letter})
    found = await users.get_many(["usr_c", "usr_x", "usr_a"])
    assert [document["name"] for document in found] == ["c", "a"]
    assert await users.get_many([]) == []


async def test_a_delete_is_guarded(store: Store) -> None:
    users = store.collection(CollectionName.USERS)
    await users.insert({"_id": "usr_a", "name": "ada", "rev": 1})
    assert not await users.delete("usr_a", guard={"rev": 0})
    assert await users.delete("usr_a", guard={"rev": 1})
    assert not await users.delete("usr_a")


async def test_the_state_tells_what_was_learnt(store: Store) -> None:
    states = [store.state]
    await store.ping()
    assert [*states, store.state] == [StoreState.UNTRIED, StoreState.UP]
