"""Who loses a race is told, and nothing is lost."""

import asyncio

from libs.store.ports import Collection, Store
from libs.store.schema import CollectionName

WORKERS = 8
TURNS = 10


async def test_guarded_increments_lose_nothing(store: Store) -> None:
    accounts = store.collection(CollectionName.ACCOUNTS)
    await accounts.insert({"_id": "acc_a", "rev": 0, "by": []})

    async def work(worker: int) -> None:
        for turn in range(TURNS):
            while not await _step(accounts, f"{worker}.{turn}"):  # noqa: ASYNC110 - the race itself is the subject
                await asyncio.sleep(0)

    await asyncio.gather(*(work(worker) for worker in range(WORKERS)))
    found = await accounts.get("acc_a")
    assert found is not None
    assert found["rev"] == WORKERS * TURNS
    assert sorted(found["by"]) == sorted(f"{worker}.{turn}" for worker in range(WORKERS) for turn in range(TURNS))


async def _step(accounts: Collection, mark: str) -> bool:
    found = await accounts.get("acc_a")
    assert found is not None
    await asyncio.sleep(0)
    return await accounts.update(
        "acc_a", guard={"rev": found["rev"]}, set={"rev": found["rev"] + 1}, push={"by": [mark]}
    )


async def test_one_of_many_guarded_writers_wins(store: Store) -> None:
    jobs = store.collection(CollectionName.JOBS)
    await jobs.insert({"_id": "job_a", "state": "waiting"})
    won = await asyncio.gather(
        *(
            jobs.update("job_a", guard={"state": "waiting"}, set={"state": f"taken by {worker}"})
            for worker in range(WORKERS)
        )
    )
    assert sum(won) == 1
    found = await jobs.get("job_a")
    assert found is not None
    assert found["state"] == f"taken by {won.index(True)}"


async def test_one_of_many_inserts_of_a_unique_key_wins(store: Store) -> None:
    users = store.collection(CollectionName.USERS)
    for turn in range(TURNS):
        won = await asyncio.gather(
            *(users.insert({"_id": f"usr_{turn}_{worker}", "name": f"ada{turn}"}) for worker in range(WORKERS))
        )
        assert sum(won) == 1
        assert await users.count(equals={"name": f"ada{turn}"}, limit=10) == 1


async def test_pulls_do_not_disturb_a_guarded_writer(store: Store) -> None:
    accounts = store.collection(CollectionName.ACCOUNTS)
    await accounts.insert({"_id": "acc_a", "rev": 0, "outbox": [{"id": str(n)} for n in range(TURNS)]})

    async def relay() -> None:
        for n in range(TURNS):
            assert await accounts.update("acc_a", pull={"outbox": {"id": str(n)}})

    async def scheduler() -> None:
        for n in range(TURNS):
            # Nobody else touches rev, so no guard is ever lost.
            assert await accounts.update(
                "acc_a", guard={"rev": n}, set={"rev": n + 1}, push={"outbox": [{"id": f"+{n}"}]}
            )

    await asyncio.gather(relay(), scheduler())
    found = await accounts.get("acc_a")
    assert found is not None
    assert (found["rev"], [entry["id"] for entry in found["outbox"]]) == (TURNS, [f"+{n}" for n in range(TURNS)])
