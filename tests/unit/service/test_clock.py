"""A test's time passes in order and only when told."""

import asyncio

from libs.service.clock import FakeClock


async def test_sleepers_wake_in_the_order_of_their_moments() -> None:
    clock = FakeClock(1_000)
    woken: list[tuple[str, int]] = []

    async def sleep(name: str, seconds: float, again: float) -> None:
        for each in (seconds, again):
            await clock.sleep(each)
            woken.append((name, clock.now()))

    tasks = [asyncio.create_task(sleep("slow", 5, 100)), asyncio.create_task(sleep("quick", 1, 2))]
    await clock.advance(6)
    assert woken == [("quick", 2_000), ("quick", 4_000), ("slow", 6_000)]
    assert (clock.now(), clock.sleeping) == (7_000, 1)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert clock.sleeping == 0
