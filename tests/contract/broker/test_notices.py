"""Notices: hints that may be lost, and a gap that says so."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.broker.errors import BrokerDeniedError
from libs.broker.ports import Gap, Link
from libs.broker.topology import Service
from libs.wire.envelope import Envelope
from tests.contract.broker.messages import requested, wake
from tests.contract.broker.rig import PATIENCE_S, Rig, until


async def following(stream: AsyncIterator[Envelope | Gap]) -> Envelope | Gap:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(stream)


async def test_every_listener_hears_what_it_asked_for(rig: Rig) -> None:
    first, other = wake(), wake().model_copy(update={"type": "account.changed"})
    async with (
        rig.connect(Service.SCHEDULER) as scheduler,
        rig.connect(Service.GATEWAY) as gateway,
        gateway.notices(["agent.wake"]) as wakes,
        gateway.notices(["agent.*", "*.changed"]) as everything,
    ):
        for stream in (wakes, everything):
            assert isinstance(await following(stream), Gap)
        await scheduler.notify(other)
        await scheduler.notify(first)
        assert await following(wakes) == first
        assert [await following(everything), await following(everything)] == [other, first]


async def test_a_notice_to_nobody_is_no_error(rig: Rig) -> None:
    async with rig.connect(Service.SCHEDULER) as scheduler, rig.connect(Service.GATEWAY) as gateway:
        await scheduler.notify(wake())
        async with gateway.notices(["agent.*"]) as stream:
            assert isinstance(await following(stream), Gap)
            later = wake()
            await scheduler.notify(later)
            assert await following(stream) == later


async def test_a_notice_without_a_broker_is_no_error(rig: Rig) -> None:
    async with rig.connect(Service.SCHEDULER) as scheduler:
        await rig.away()
        await until(lambda: scheduler.state.link is Link.AWAY)
        await scheduler.notify(wake())
        await rig.back()


async def test_a_cut_shows_as_a_gap_and_listening_goes_on(rig: Rig) -> None:
    async with (
        rig.connect(Service.SCHEDULER) as scheduler,
        rig.connect(Service.GATEWAY) as gateway,
        gateway.notices(["agent.wake"]) as stream,
    ):
        assert isinstance(await following(stream), Gap)
        await rig.cut()
        assert isinstance(await following(stream), Gap)
        await until(lambda: scheduler.state.ready)
        later = wake()
        await scheduler.notify(later)
        assert await following(stream) == later


async def test_work_is_no_notice_and_the_scheduler_does_not_listen(rig: Rig) -> None:
    async with rig.connect(Service.SCHEDULER) as scheduler:
        with pytest.raises(BrokerDeniedError):
            await scheduler.notify(requested())
        with pytest.raises(BrokerDeniedError):
            async with scheduler.notices(["agent.*"]):
                pass
