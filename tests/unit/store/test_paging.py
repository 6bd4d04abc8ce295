"""Pages in growing windows, and scans: everything comes once, and a page of the newest reads few documents."""

from collections.abc import Mapping
from typing import Any

import pytest

from libs.store.memory.store import MemoryServer
from libs.store.paging import newest, scan
from libs.store.ports import Collection, Document
from libs.store.schema import CollectionName

NOW = 1_800_000_000_000
HOUR = 3_600_000
AGES = [0, 0, 0, 1, HOUR - 1, HOUR, 5 * HOUR, 24 * HOUR, 29 * 24 * HOUR, 400 * 24 * HOUR, 400 * 24 * HOUR, -HOUR]


class Watched:
    """A collection that notes the range of each find."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self.lows: list[int] = []

    async def find(self, **query: Any) -> list[Document]:
        self.lows.append(query["between"][1])
        return await self._collection.find(**query)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)


@pytest.fixture
async def tasks() -> Watched:
    collection = MemoryServer(lambda: NOW).store().collection(CollectionName.TASKS)
    for n, age in enumerate(AGES):
        await collection.insert({"_id": f"tsk_{n:02}", "created_at": NOW - age, "account": f"acc_{n % 2}"})
    return Watched(collection)


def key(document: Mapping[str, Any]) -> tuple[int, str]:
    return document["created_at"], document["_id"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
async def test_pages_join_to_the_whole(tasks: Watched, size: int) -> None:
    joined: list[Document] = []
    after = None
    while page := await newest(tasks, field="created_at", now=NOW, limit=size, after=after):
        joined += page
        after = key(page[-1])
    assert [key(each) for each in joined] == sorted((key(each) for each in joined), reverse=True)
    assert len(joined) == len(AGES)


async def test_a_full_page_of_the_newest_asks_for_the_last_hour_alone(tasks: Watched) -> None:
    await newest(tasks, field="created_at", now=NOW, limit=5)
    assert tasks.lows == [NOW - HOUR]


async def test_a_page_that_is_not_full_asks_for_more(tasks: Watched) -> None:
    found = await newest(tasks, field="created_at", now=NOW, limit=10)
    assert tasks.lows == [NOW - HOUR, NOW - 24 * HOUR, NOW - 30 * 24 * HOUR]
    assert len(found) == 10


async def test_bounds_are_kept(tasks: Watched) -> None:
    found = await newest(tasks, field="created_at", now=NOW, limit=100, low=NOW - 5 * HOUR, high=NOW - 1)
    assert [NOW - each["created_at"] for each in found] == [1, HOUR - 1, HOUR, 5 * HOUR]


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
async def test_a_scan_gives_each_document_of_the_range_once(tasks: Watched, batch: int) -> None:
    between = ("created_at", NOW - 24 * HOUR, NOW)
    found = [key(each) async for each in scan(tasks, between=between, batch=batch)]
    assert found == sorted(found)
    assert len(found) == 8


async def test_a_scan_keeps_to_its_equalities(tasks: Watched) -> None:
    between = ("created_at", 0, 2 * NOW)
    found = [each["account"] async for each in scan(tasks, between=between, equals={"account": "acc_1"}, batch=2)]
    assert found == ["acc_1"] * 6
