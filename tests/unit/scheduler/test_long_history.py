"""An account with more passwords behind it than one job compares."""

from libs.domain.state import Status
from libs.wire.jobs import MAX_CANDIDATES
from libs.wire.secret import Secret
from tests.unit.scheduler.host import Host
from tests.unit.scheduler.world import World


async def test_a_reveal_shows_every_password_that_may_be_live(here: World, host: Host) -> None:
    """A host that was rolled back far is live with an old one, which nobody could read when only some are shown."""
    for number in range(MAX_CANDIDATES + 2):
        await here.set_to(host, f"The-password-number-{number}")
    host.login().live = Secret("Changed-on-the-host-1")
    task = await here.verifies(host.account())
    await here.settles(host, lambda: here.over(task))
    assert (await here.account(host.account())).rotation.status is Status.DRIFT
    shown = [password for _, password in await here.reveals(host.account())]
    assert shown == [f"The-password-number-{number}".encode() for number in reversed(range(MAX_CANDIDATES + 2))]
