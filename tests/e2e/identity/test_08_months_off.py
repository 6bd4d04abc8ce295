"""Story 8: an agent is off while every key is rolled over, the server moves, and its own certificate expires."""

import time

import pytest

from deploy.admin.kinds import Kind
from deploy.local.ports import choose
from tests.e2e.identity.rolling import follows, keyturn_server, restart, sets, steps
from tests.e2e.identity.test_03_server_authority import authorities, person_trusts, shows, sleeper
from tests.e2e.site import Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]

ALL = ("bundler", "gateway", "scheduler")
LIFE = 20


def test_it_finds_its_way_back_by_what_it_had(rolled: Site) -> None:
    bundler = rolled.server.process("bundler")
    bundler.settings["KEYTURN_AGENT_CERTIFICATE_SECONDS"] = str(LIFE)
    bundler.restart()
    host = sleeper(rolled, "dmz-off-08")
    asleep = time.monotonic()
    del bundler.settings["KEYTURN_AGENT_CERTIFICATE_SECONDS"]
    bundler.restart()
    account = rolled.find("sleeper", host.name)
    assert account is not None
    kinds = (Kind.TASKS, Kind.CONFIGURATION, Kind.SERVERS, Kind.AGENTS, Kind.VAULT, Kind.SESSION)
    try:
        for kind in kinds:
            steps(rolled, kind, "announce")
        restart(rolled, *ALL)
        person_trusts(rolled, rolled.server.ca_file)
        for kind in kinds:
            steps(rolled, kind, "use")
        restart(rolled, *ALL)
        shows(rolled, authorities(rolled)[0])
        until(lambda: "All is sealed" in steps(rolled, Kind.VAULT, "status") or None, "the vault to be sealed")
        for kind in kinds:
            steps(rolled, kind, "retire", "end")
        restart(rolled, *ALL)
        old = f"keyturn:{rolled.server.gateway_url.rsplit(':', 1)[1]}"
        there = choose(hosts=(rolled.lab.address,))
        rolled.server.start_gateway("gateway-there", f"{rolled.lab.address}:{there}")
        keyturn_server(rolled, "move", old, f"keyturn:{there}", "--keys", str(rolled.server.keys))
        time.sleep(max(0.0, asleep + LIFE - time.monotonic()))

        task = rolled.reset(account, "After-many-months-1")
        host.run(["systemctl", "start", "keyturn-agent.service"])
        assert rolled.ends(task, 150).state == "done"
        follows(rolled, host)
        status = host.run(["/opt/keyturn-agent/runtime/keyturn-agent", "status"], text=True).stdout
        assert f"keyturn:{there} answers it; the server moved from {old}" in status
        sets(rolled, account, "As-if-nothing-had-been-2")
    finally:
        host.down()
