"""Story 4: the agent authority is rolled over, and back from each phase; one agent is off for all of it."""

import pytest

from deploy.admin.kinds import Kind
from tests.e2e.identity.rolling import restart, sets, steps
from tests.e2e.identity.test_03_server_authority import sleeper
from tests.e2e.site import Site, until
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]

ALL = ("gateway", "scheduler", "bundler")


def has_renewed(site: Site, host: Host) -> None:
    """The host's agent has a certificate of the authority in use, as the operator is told."""

    def look() -> bool | None:
        said = steps(site, Kind.AGENTS, "status")
        return ("have a certificate of the authority in use" in said and f"not yet: {host.name} " not in said) or None

    until(look, f"{host.name} to renew", 90)


def test_forth_and_back_from_each_phase_and_an_agent_that_slept_through_it(rolled: Site) -> None:
    account, host = rolled.add_account("certified"), sleeper(rolled, "dmz-off-04")
    try:
        steps(rolled, Kind.AGENTS, "announce")
        restart(rolled, *ALL)
        sets(rolled, account, "Announced-1")
        steps(rolled, Kind.AGENTS, "back")  # from announced
        restart(rolled, *ALL)
        sets(rolled, account, "As-before-2")

        steps(rolled, Kind.AGENTS, "announce", "use")
        restart(rolled, *ALL)
        has_renewed(rolled, rolled.host)
        said = steps(rolled, Kind.AGENTS, "status")
        assert f"not yet: {host.name} (last heard" in said
        sets(rolled, account, "In-use-3")
        steps(rolled, Kind.AGENTS, "back")  # from in use
        restart(rolled, *ALL)
        has_renewed(rolled, rolled.host)
        sets(rolled, account, "Back-in-the-middle-4")

        steps(rolled, Kind.AGENTS, "use", "retire")  # nobody waits for anybody
        restart(rolled, *ALL)
        sets(rolled, account, "Retired-5", 150)  # it waits for the renewal, and then for the sweep's next look
        has_renewed(rolled, rolled.host)
        steps(rolled, Kind.AGENTS, "back")  # from retired
        restart(rolled, *ALL)
        has_renewed(rolled, rolled.host)
        sets(rolled, account, "Back-from-retired-6")

        steps(rolled, Kind.AGENTS, "use", "retire", "end")
        restart(rolled, *ALL)
        sets(rolled, account, "At-the-end-7", 150)
        asleep = rolled.find("sleeper", host.name)
        assert asleep is not None
        task = rolled.reset(asleep, "After-the-long-sleep-1")
        host.run(["systemctl", "start", "keyturn-agent.service"])
        assert rolled.ends(task, 150).state == "done"
        has_renewed(rolled, host)
    finally:
        host.down()
