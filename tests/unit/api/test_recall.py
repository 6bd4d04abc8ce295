"""Polls of sessions that are over end at once, a few at a time, and no others."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.service.clock import FakeClock
from libs.store.epoch import EpochStore
from services.api.mailroom import Mailroom
from services.api.recall import AT_ONCE, PAUSE_SECONDS, Recall
from tests.unit.api.test_notices import hang
from tests.unit.api.world import NOW, World


@pytest.fixture
async def running(world: World) -> AsyncIterator[World]:
    """A gateway that calls polls back."""
    task = asyncio.ensure_future(world.gateway.recall.run())
    yield world
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_held_ends_in_lots_and_what_came_since_is_held_on() -> None:
    clock, mailroom = FakeClock(NOW), Mailroom()
    recall = Recall(mailroom, clock.sleep)
    task = asyncio.ensure_future(recall.run())
    held = [mailroom.hold(f"agt_{n}", 50.0) for n in range(2 * AT_ONCE + 5)]
    recall.all()
    since = mailroom.hold("agt_0", 50.0)
    ended = []
    for _ in range(4):
        await clock.advance(0)
        ended.append(sum(each.done() for each in held))
        await clock.advance(PAUSE_SECONDS)
    assert ended == [AT_ONCE, 2 * AT_ONCE, len(held), len(held)]
    assert not any(each.result() for each in held)
    assert not since.done()
    task.cancel()
    mailroom.close()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_restore_ends_polls_from_before_it(running: World) -> None:
    """Agents showed their hosts only when their polls ended by themselves, up to a minute later."""
    world, epochs = running, EpochStore(running.admin)
    await epochs.begin(NOW // 1000)
    first = world.gateway.mailroom.hold("agt_a", 50.0)
    await world.gateway.notices.rebuild()
    await world.clock.advance(PAUSE_SECONDS)
    assert not first.done(), "this gateway has only just learnt the epoch, in which that session may be"
    await epochs.begin(NOW // 1000 + 1)
    await world.gateway.notices.rebuild()
    await world.clock.advance(PAUSE_SECONDS)
    assert first.done()


async def test_a_newer_notice_ends_polls_from_before_it(running: World) -> None:
    board, held = running.gateway.board, running.gateway.mailroom.hold("agt_a", 50.0)
    board.file = running.private / "notices.json"
    looking = asyncio.ensure_future(board.keep_looking(_soon, running.gateway.recall.all))
    hang(board.file, 3)
    assert await asyncio.wait_for(held, 30) is False
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def _soon(_: float) -> None:
    await asyncio.sleep(0.01)
