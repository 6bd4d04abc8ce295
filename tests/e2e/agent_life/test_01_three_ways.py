"""Story 1: the agent is put on hosts of three kinds, two of them without a Python, and stays up on each."""

import pytest

from tests.e2e.agent_life.verbs import AGENT, INSTALLED, booted, unpack, verb
from tests.e2e.site import OLD, Site, until
from tests.lab.first_state import Init
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]


def pids(host: Host, part: str) -> set[int]:
    """The processes of the host whose command line has this in it."""
    return {each.pid for each in host.processes() if any(part in word for word in each.command)}


def agents(host: Host) -> set[int]:
    return {each.pid for each in host.processes() if each.command[:1] == (AGENT,)}


def well(host: Host) -> bool | None:
    return verb(host, "status", at=INSTALLED)[0] == 0 or None


def test_with_systemd_it_sets_a_password_inside_the_hardest_sandbox(running: Site) -> None:
    account = running.find("hardened") or running.add_account("hardened")
    shown = running.host.run(
        ["systemctl", "show", "keyturn-agent", "-p", "ProtectSystem,MemoryMax,CPUQuotaPerSecUSec,SystemCallFilter"],
        text=True,
    ).stdout
    assert "ProtectSystem=strict" in shown
    assert f"MemoryMax={256 * 1024 * 1024}" in shown
    assert "CPUQuotaPerSecUSec=1s" in shown
    assert "SystemCallFilter=" in shown
    resource = running.client.resource(account.resource.id)
    before = resource.observed_at
    assert before is not None
    running.client.discover(resource.id)
    until(lambda: running.client.resource(resource.id).observed_at != before or None, "another look")
    assert running.resets(account, "Inside-the-sandbox-1").state == "done"
    assert running.host.opens("hardened", b"Inside-the-sandbox-1")


def test_with_sysv_init_it_comes_back_after_a_kill_and_after_a_reboot(running: Site) -> None:
    with booted(running, "life-sysv", Init.SYSV, python=False) as host:
        assert host.run(["sh", "-c", "command -v python3"], check=False).returncode != 0
        host.add_user("deploy", OLD)
        unpack(running, host)
        status, said = verb(host, "install")
        assert status == 0, said
        assert "as the SysV service keyturn-agent" in said
        assert "Tested: passwords can be set on this host." in said
        status, said = verb(host, "start")
        assert status == 0, said
        deploy = until(lambda: running.find("deploy", host.name), "its account")
        assert running.resets(deploy, "By-a-sysv-host-1").state == "done"
        assert host.opens("deploy", b"By-a-sysv-host-1")

        (agent,) = agents(host)
        host.run(["kill", "-KILL", str(agent)])
        until(lambda: (agents(host) - {agent}) or None, "another agent")
        until(lambda: well(host), "its contact")

        host.sync()
        host.stop()
        host.boot()
        until(lambda: well(host), "its contact after a reboot")
        assert host.run(["/etc/init.d/keyturn-agent", "status"]).returncode == 0
        status, said = verb(host, "stop", at=INSTALLED)
        assert (status, agents(host), pids(host, "keep.sh")) == (0, set(), set()), said
        assert verb(host, "status", at=INSTALLED) == (1, "the agent is not running\n")
        assert verb(host, "restart", at=INSTALLED)[0] == 0
        assert running.resets(deploy, "By-a-sysv-host-2").state == "done"


def test_with_neither_it_is_watched_by_its_own_keeper_and_says_what_a_reboot_does(running: Site) -> None:
    with booted(running, "life-bare", Init.BARE, python=False) as host:
        host.add_user("deploy", OLD)
        unpack(running, host)
        status, said = verb(host, "install")
        assert status == 0, said
        assert "a reboot will not" in said
        status, said = verb(host, "start")
        assert status == 0, said
        deploy = until(lambda: running.find("deploy", host.name), "its account")
        assert running.resets(deploy, "By-a-bare-host-1").state == "done"
        assert host.read("/var/log/keyturn-agent.log")
        assert b"By-a-bare-host" not in host.read("/var/log/keyturn-agent.log")

        # Its keeper is killed: the agent lives on alone, and the next start puts one pair in its place.
        (keeper,) = pids(host, "keep.sh")
        host.run(["kill", "-KILL", str(keeper)])
        status, said = verb(host, "start", at=INSTALLED)
        assert status == 0, said
        assert len(agents(host)) == 1
        assert len(pids(host, "keep.sh") - {keeper}) == 1

        # Settings that are wrong end it, and it is not started again and again.
        host.run(["sed", "-i", "s/^ServerPort=.*/ServerPort=none/", "/etc/keyturn-agent/agent.conf"])
        status, said = verb(host, "restart", at=INSTALLED)
        assert status == 1
        assert "did not stay up" in said
        assert "ServerPort='none'" in said
        assert (agents(host), pids(host, "keep.sh")) == (set(), set())
