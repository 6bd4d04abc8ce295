"""Story 4: the agent is taken away. What only its machine knew is in the vault first, and its disk is as before."""

import pytest

from tests.e2e.agent_life.verbs import CONF, INSTALLED, agent_of, booted, listing, traces, unpack, verb
from tests.e2e.site import FOLDER, OLD, Site, until
from tests.lab.first_state import Init

pytestmark = [pytest.mark.real, pytest.mark.host]


@pytest.mark.parametrize("init", [Init.SYSTEMD, Init.SYSV, Init.BARE])
def test_it_hands_over_tells_the_server_and_leaves_nothing(running: Site, init: Init) -> None:
    with booted(running, f"life-gone-{init.name.lower()}", init, python=init is Init.SYSTEMD) as host:
        host.add_user("deploy", OLD)
        unpack(running, host)
        before = listing(host)
        assert verb(host, "install")[0] == 0
        status, said = verb(host, "start")
        assert status == 0, said
        deploy = until(lambda: running.find("deploy", host.name), "its account")
        assert running.resets(deploy, "Before-it-goes-1").state == "done"
        assert traces(before, listing(host))

        # A job that lies in the mailbox is answered on the way out.
        assert verb(host, "stop")[0] == 0
        task = running.reset(deploy, "On-the-way-out-1")
        status, said = verb(host, "remove", at=INSTALLED)
        assert status == 0, said
        assert "the agent told the server that it leaves, with 1 of the passwords that it set" in said
        assert traces(before, listing(host)) == set()
        assert running.ends(task).state == "done"
        assert host.opens("deploy", b"On-the-way-out-1")
        assert running.revealed(deploy)[0] == b"On-the-way-out-1"
        until(lambda: agent_of(running, host).state == "left" or None, "the server to know")
        assert not [each for each in host.processes() if "keyturn" in " ".join(each.command)]
        assert verb(host, "remove") == (
            0,
            "Removed the agent, its settings, its keys and its journal from this host.\n",
        )


def test_a_host_that_cannot_reach_the_server_keeps_its_agent_until_it_is_told_to_purge(running: Site) -> None:
    with booted(running, "life-offline") as host:
        unpack(running, host)
        before = listing(host)
        assert verb(host, "install")[0] == 0
        assert verb(host, "start")[0] == 0
        host.run(["sed", "-i", "s/^ServerPort=.*/ServerPort=9/", CONF])
        status, said = verb(host, "remove", patience=1)
        assert status == 1
        assert "Nothing was removed" in said
        assert "no_contact" in said
        assert f'sh "{FOLDER}/installAgent-service.sh" remove --purge' in said
        assert host.run(["systemctl", "is-active", "keyturn-agent"], text=True).stdout == "active\n"
        assert verb(host, "remove everything")[0] == 2
        status, said = verb(host, "remove --purge")
        assert status == 0, said
        assert "what only this host knew is lost: no_contact" in said
        assert traces(before, listing(host)) == set()
        assert agent_of(running, host).state == "active"  # it was not told
