"""Story 4: clones. A machine is copied with its disk and both run: nothing is sent to either until a person chooses."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from libs.client import models
from tests.e2e.identity.test_02_revocation import agent_of, files, managed, out
from tests.e2e.site import Site, until
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]

COPIED = (
    "opt/keyturn-agent",
    "etc/keyturn-agent",
    "var/lib/keyturn-agent",
    "etc/systemd/system/keyturn-agent.service",
    "etc/shadow",
    "etc/passwd",
    "etc/group",
    "etc/gshadow",
)
PROGRAM = "/opt/keyturn-agent/runtime/keyturn-agent"
NOTICED = 150.0
"""Seconds: a run that was followed speaks again more than a minute later, at a session, a fetch or a report."""


@contextmanager
def clone_of(site: Site, host: Host, name: str) -> Iterator[Host]:
    """Another machine with this one's disk, as far as agent and accounts go. It calls itself differently."""
    copy = site.lab.host(name)
    copy.boot()
    try:
        archive = host.run(["sh", "-c", f"tar -C / -cf - {shlex.join(COPIED)} | base64 -w 0"], text=True).stdout
        copy.write("/root/copy.b64", archive.encode())
        copy.run(["sh", "-c", "base64 -d /root/copy.b64 | tar -C / -xf -"])
        copy.run(["systemctl", "daemon-reload"])
        yield copy
    finally:
        copy.down()


def says(host: Host, words: str) -> bool | None:
    """Whether the agent's own status on a host has these words; None while it has not."""
    return words in host.run([PROGRAM, "status"], text=True, check=False).stdout or None


def quarantined(site: Site, account: models.Account) -> bool | None:
    return site.account(account).status == "quarantined" or None


def run_of(site: Site, host: Host) -> str:
    """The run that this host's agent is in, as a person sees it by the name that the machine gives itself."""
    (found,) = {each.run for each in agent_of(site, host).machines if each.host_name == host.name}
    return found


def test_a_copy_of_a_machine_is_noticed_and_a_person_chooses(running: Site) -> None:
    with (
        managed(running, "dmz-web-06", "Before-the-copy-1") as (host, deploy),
        clone_of(running, host, "dmz-web-07") as copy,
    ):
        copy.run(["systemctl", "start", "keyturn-agent.service"])
        until(lambda: quarantined(running, deploy), "the quarantine", NOTICED)
        agent = agent_of(running, host)
        assert agent.state == "quarantined"
        assert {each.host_name for each in agent.machines} == {host.name, copy.name}
        incident = until(
            lambda: next((each for each in running.client.incidents() if each.agent == agent.id), None), "the incident"
        )
        assert (incident.kind, host.name in incident.sentence, copy.name in incident.sentence) == (
            "identity_on_two_machines",
            True,
            True,
        )
        for each in (host, copy):
            until(lambda on=each: says(on, "agent_quarantined"), "the word on the machine")  # type: ignore[misc]
            assert each.opens("deploy", b"Before-the-copy-1")
        assert running.revealed(deploy) == [b"Before-the-copy-1"]

        chosen = running.client.choose_machine(agent.id, run_of(running, host), "the one in rack 7")
        assert chosen.id == agent.id
        proven = running.account(deploy).proof

        def compared() -> bool | None:
            seen = running.account(deploy)
            return (seen.status == "in_sync" and seen.proof != proven) or None

        until(compared, "the comparison on the chosen machine")
        until(lambda: out(copy), "the other one's end")
        assert says(copy, "agent_revoked")
        assert {"identity.json", "certificate.pem"}.isdisjoint(files(copy))
        assert running.resets(deploy, "Of-the-right-one-1").state == "done"
        assert (host.opens("deploy", b"Of-the-right-one-1"), copy.opens("deploy", b"Before-the-copy-1")) == (True, True)
        assert (agent_of(running, host).state, agent_of(running, host).machines) == ("active", ())


def test_two_agents_on_one_host_refuse_each_other(running: Site) -> None:
    second = running.host.run([PROGRAM, "run", "--state", "/root/another-state"], text=True, check=False, timeout=60)
    assert (second.returncode, "runs on this host already" in second.stderr) == (1, True)
    assert says(running.host, "the agent runs and")


def test_another_host_name_and_a_machine_put_back_change_no_identity(running: Site) -> None:
    with managed(running, "dmz-web-08", "Before-the-snapshot-1") as (host, deploy):
        before = agent_of(running, host)
        host.snapshot()
        assert running.resets(deploy, "After-the-snapshot-1").state == "done"
        host.stop()
        host.rollback()
        host.boot()
        until(lambda: running.account(deploy).status == "in_sync" or None, "the comparison")
        host.run(["hostname", "renamed"])
        host.run(["systemctl", "restart", "keyturn-agent.service"])
        assert running.verifies(deploy).opens is True
        after = agent_of(running, host)
        assert (after.id, after.state) == (before.id, "active")
        assert [each for each in running.client.incidents() if each.agent == before.id] == []
