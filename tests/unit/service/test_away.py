"""A store or broker that is away at the start is waited for, and health says so meanwhile."""

import asyncio

import pytest

from libs.service.away import broker_there, store_there, until_done
from libs.service.health import Health, broker_says, store_says
from libs.store.errors import StoreDeniedError
from tests.unit.service.parts import Parts


async def test_the_store_is_waited_for() -> None:
    parts, health = Parts(), Health()
    step = health.step("store", "not asked yet")
    parts.store.faults.away = True
    waiting = asyncio.create_task(store_there(parts.store, parts.clock, step=step))
    await parts.clock.advance(60)
    assert not waiting.done()
    assert health.report()["store"].sentence == "waiting for the store"
    assert store_says(parts.store)().sentence == "waiting for the store"
    parts.store.faults.away = False
    await parts.clock.advance(10)
    await waiting
    assert health.report()["store"].ready
    assert store_says(parts.store)().ready


async def test_the_broker_is_waited_for() -> None:
    parts = Parts()
    parts.node.stop()
    waiting = asyncio.create_task(broker_there(parts.broker, parts.clock))
    await parts.clock.advance(60)
    assert not waiting.done()
    assert broker_says(parts.broker)().sentence == "waiting for the broker"
    parts.node.start()
    await parts.clock.advance(10)
    await waiting
    parts.node.blocked = True
    assert "out of disk" in broker_says(parts.broker)().sentence


async def test_a_permanent_error_is_not_waited_for() -> None:
    async def attempt() -> None:
        raise StoreDeniedError("unknown user")

    with pytest.raises(StoreDeniedError):
        await until_done("waiting for the store", attempt, Parts().clock)
