"""Closed ranges over indexed fields, in a total order, page after page."""

from typing import Any

import pytest

from libs.store.errors import StoreRefusedError
from libs.store.ports import Collection, Store
from libs.store.schema import CollectionName


@pytest.fixture
async def tasks(store: Store) -> Collection:
    collection = store.collection(CollectionName.TASKS)
    for n in range(10):
        # Five moments, two tasks at each; the ids do not follow the moments.
        await collection.insert(
            {
                "_id": f"tsk_{9 - n}",
                "created_at": n // 2 * 100,
                "requester": {"id": "usr_a" if n % 2 else "usr_b"},
                "state": "done" if n < 4 else "queued",
                "outbox": [{"id": f"evt_{n}", "at": n}, {"id": f"evt_{n}x", "at": n + 100}] if n < 3 else [],
            }
        )
    return collection


def ids(found: list[dict[str, Any]]) -> str:
    return " ".join(document["_id"].removeprefix("tsk_") for document in found)


async def test_both_ends_of_a_range_are_in_it(tasks: Collection) -> None:
    assert ids(await tasks.find(between=("created_at", 100, 300), limit=100)) == "6 7 4 5 2 3"


async def test_newest_first_turns_the_whole_order(tasks: Collection) -> None:
    assert ids(await tasks.find(between=("created_at", 100, 300), newest_first=True, limit=100)) == "3 2 5 4 7 6"


async def test_a_limit_cuts_the_ordered_whole(tasks: Collection) -> None:
    assert ids(await tasks.find(between=("created_at", 0, 999), newest_first=True, limit=3)) == "1 0 3"


async def test_equality_and_range(tasks: Collection) -> None:
    found = await tasks.find(equals={"requester.id": "usr_a"}, between=("created_at", 0, 200), limit=100)
    assert ids(found) == "8 6 4"


async def test_equality_alone_is_ordered_by_id(tasks: Collection) -> None:
    assert ids(await tasks.find(equals={"state": "done"}, limit=100)) == "6 7 8 9"


async def test_equality_ordered_by_another_field(tasks: Collection) -> None:
    found = await tasks.find(equals={"state": "done"}, order="created_at", newest_first=True, limit=100)
    assert ids(found) == "7 6 9 8"


async def test_a_range_through_a_list(tasks: Collection) -> None:
    assert ids(await tasks.find(between=("outbox.at", 1, 2), limit=100)).endswith("8 7")
    assert ids(await tasks.find(between=("outbox.at", 0, 2**53), limit=100)) == "9 8 7"
    assert ids(await tasks.find(between=("outbox.at", 200, 2**53), limit=100)) == ""


async def test_an_entry_taken_away_is_no_longer_found(tasks: Collection) -> None:
    await tasks.update("tsk_9", pull={"outbox": {"id": "evt_0"}})
    await tasks.update("tsk_9", pull={"outbox": {"id": "evt_0x"}})
    assert ids(await tasks.find(between=("outbox.at", 0, 2**53), limit=100)) == "8 7"


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_pages_join_without_gap_or_repeat(tasks: Collection, newest_first: bool, size: int) -> None:
    whole = await tasks.find(between=("created_at", 0, 999), newest_first=newest_first, limit=100)
    joined: list[dict[str, Any]] = []
    after = None
    while page := await tasks.find(between=("created_at", 0, 999), newest_first=newest_first, after=after, limit=size):
        joined += page
        after = (page[-1]["created_at"], page[-1]["_id"])
    assert joined == whole
    assert len(whole) == 10


async def test_a_range_holds_values_of_its_own_type(tasks: Collection) -> None:
    await tasks.insert({"_id": "tsk_text", "created_at": "150"})
    await tasks.insert({"_id": "tsk_none", "created_at": None})
    await tasks.insert({"_id": "tsk_missing"})
    await tasks.insert({"_id": "tsk_yes", "created_at": True})
    assert ids(await tasks.find(between=("created_at", 100, 200), limit=100)) == "6 7 4 5"


async def test_counts_stop_at_their_limit(tasks: Collection) -> None:
    assert await tasks.count(equals={"requester.id": "usr_a", "state": "queued"}, limit=100) == 3
    assert await tasks.count(equals={"requester.id": "usr_a", "state": "queued"}, limit=2) == 2
    assert await tasks.count(equals={"requester.id": "usr_x", "state": "queued"}, limit=2) == 0
    assert await tasks.count(between=("created_at", 0, 100), limit=100) == 4


@pytest.mark.parametrize(
    "query",
    [
        {"equals": {"reason": "x"}},
        {"between": ("ended_at", 0, 1)},
        {"order": "ended_at"},
        {},
        {"between": ("_id", "a", "b")},
        {"equals": {"created_at": 1}, "between": ("created_at", 0, 1)},
        {"between": ("created_at", 0, 1), "limit": 0},
        {"between": ("created_at", 0, 1), "limit": 10_001},
        {"between": ("created_at", [], 1)},
        {"equals": {"state": "done"}, "after": ("done", "tsk_a")},
        {"equals": {"state": "done"}, "order": "created_at", "after": (1, "tsk_a")},
    ],
)
async def test_a_query_that_would_read_everything_is_refused(tasks: Collection, query: dict[str, Any]) -> None:
    with pytest.raises(StoreRefusedError):
        await tasks.find(**{"limit": 1, **query})
