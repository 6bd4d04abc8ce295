"""The server's clock was ahead, and is put back: what was written meanwhile lies in the future."""

import pytest

from libs.domain.deadlines import HOUR, LEASE
from libs.domain.state import Status
from libs.store.tasks import TaskState
from libs.wire.secret import Secret
from tests.unit.scheduler.host import Host
from tests.unit.scheduler.world import World

_DAY_SECONDS = 86_400.0


async def test_what_a_host_shows_counts_also_after_the_clock_was_put_back(here: World) -> None:
    """Its observations were taken for older than the last one, for as long as the clock had been ahead."""
    host = await here.machine()
    here.clock.step(_DAY_SECONDS)
    await here.set_to(host, "Set-while-it-was-ahead-1")
    await host.observes()
    await here.passes()
    assert (await here.account(host.account())).rotation.status is Status.IN_SYNC
    here.clock.step(-_DAY_SECONDS)
    host.login().live = Secret("changed on the host")
    await host.observes()
    await here.passes()
    assert (await here.account(host.account())).rotation.status is Status.UNCERTAIN


async def test_an_account_is_discovered_also_after_the_clock_was_put_back(here: World) -> None:
    host = await here.machine()
    here.clock.step(_DAY_SECONDS)
    await host.observes()
    await here.passes()
    here.clock.step(-_DAY_SECONDS)
    host.login("later", 1_001)
    await host.observes()
    await here.passes()
    assert (await here.account(host.account("later"))).rotation.status is Status.UNMANAGED


async def test_a_lease_of_a_clock_that_was_ahead_ends_in_its_time(here: World) -> None:
    """The account stayed "at the agent" for as long as the clock had been ahead."""
    host = await here.machine()
    here.clock.step(_DAY_SECONDS)
    await here.resets(host.account())
    await here.passes()
    assert await host.fetches()
    await here.passes(3)
    here.clock.step(-_DAY_SECONDS)
    await here.passes(LEASE / 1000 - 5)
    assert (await here.account(host.account())).rotation.status is Status.PENDING
    await here.passes(10)
    assert (await here.account(host.account())).rotation.status is Status.UNCERTAIN


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_deadline_of_a_clock_that_was_ahead_ends_in_its_time(here: World, *, restarted: bool) -> None:
    host = await here.machine()
    here.clock.step(_DAY_SECONDS)
    task = await here.resets(host.account(), lifetime=HOUR)
    await here.passes(3)
    if restarted:
        await here.kill()
    here.clock.step(-_DAY_SECONDS)
    if restarted:
        await here.start()
    await here.passes(HOUR / 1000 - 10)
    assert (await here.task(task)).state is TaskState.QUEUED
    await here.passes(20)
    assert (await here.task(task)).state is TaskState.EXPIRED
    assert (await here.account(host.account())).rotation.status is Status.UNMANAGED


async def test_an_uncertain_account_is_asked_about_also_after_the_clock_was_put_back(here: World) -> None:
    host = await here.machine()
    here.clock.step(_DAY_SECONDS)
    await here.set_to(host, "Set-while-it-was-ahead-2")
    host.login().live = Secret("changed on the host")
    host.login().cannot_tell = True
    await host.observes()
    await here.passes(3)
    await host.works()
    await here.passes(3)
    here.clock.step(-_DAY_SECONDS)
    host.login().cannot_tell = False
    await here.settles(host, lambda: _at_rest(here, host))
    assert (await here.account(host.account())).rotation.status is Status.DRIFT


async def _at_rest(here: World, host: Host) -> bool:
    return (await here.account(host.account())).rotation.status is not Status.UNCERTAIN
