"""The server's clock was ahead, and is put back: what was written meanwhile lies in the future."""

from libs.domain.state import Status
from libs.wire.secret import Secret
from tests.unit.scheduler.world import World

_DAY_SECONDS = 86_400.0


async def test_what_a_host_shows_counts_also_after_the_clock_was_put_back(here: World) -> None:
    """Its observations were taken for older than the last one, for as long as the clock had been ahead."""
    host = await here.machine()
    here.clock.skip(_DAY_SECONDS)
    await here.set_to(host, "Set-while-it-was-ahead-1")
    await host.observes()
    await here.passes()
    assert (await here.account(host.account())).rotation.status is Status.IN_SYNC
    here.clock.skip(-_DAY_SECONDS)
    host.login().live = Secret("changed on the host")
    await host.observes()
    await here.passes()
    assert (await here.account(host.account())).rotation.status is Status.UNCERTAIN


async def test_an_account_is_discovered_also_after_the_clock_was_put_back(here: World) -> None:
    host = await here.machine()
    here.clock.skip(_DAY_SECONDS)
    await host.observes()
    await here.passes()
    here.clock.skip(-_DAY_SECONDS)
    host.login("later", 1_001)
    await host.observes()
    await here.passes()
    assert (await here.account(host.account("later"))).rotation.status is Status.UNMANAGED
