"""Story 2: revocation. A machine is stolen: its agent is out at once, the machine says so, and no password is lost."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from libs.client import models
from libs.wire.agent_api import Problem
from tests.e2e.identity.test_01_tokens import STATE, TOKEN, token_of, waits
from tests.e2e.site import FOLDER, OLD, Site, until
from tests.e2e.test_05_enrolment import Signer, says
from tests.lab.host import Host

pytestmark = [pytest.mark.real, pytest.mark.host]

AT_ONCE = 15.0
"""Seconds: the sweep of a gateway, at which the polls of a revoked agent end at the latest."""


@contextmanager
def managed(site: Site, name: str, password: str) -> Iterator[tuple[Host, models.Account]]:
    """A further host of which an account was reset and proven."""
    host = site.lab.host(name)
    host.boot()
    try:
        host.add_user("deploy", OLD)
        site.install(host)
        deploy = until(lambda: site.find("deploy", name), "its account")
        assert site.resets(deploy, password).state == "done"
        yield host, deploy
    finally:
        host.down()


def agent_of(site: Site, host: Host) -> models.Agent:
    return next(each for each in site.client.agents() if each.resource.name == host.name)


def out(host: Host) -> bool | None:
    """Whether the agent's service has ended by itself, and is not started again."""
    line = ["systemctl", "show", "--property", "ActiveState,ExecMainStatus,NRestarts", "keyturn-agent.service"]
    shown = dict(each.split("=") for each in host.run(line, text=True).stdout.split())
    return (shown["ActiveState"], shown["ExecMainStatus"]) == ("failed", "4") or None


def files(host: Host) -> set[str]:
    return set(host.run(["ls", STATE], text=True).stdout.split())


def test_a_stolen_machine_is_out_while_its_agent_polls_and_comes_back_by_a_new_package(running: Site) -> None:
    with managed(running, "dmz-web-04", "Before-the-theft-1") as (host, deploy):
        agent, thief = agent_of(running, host), Signer(running, host)
        assert thief.post(thief.headers()).status_code == httpx.codes.OK
        assert running.client.revoke_agent(agent.id, "the machine was stolen").state == "revoked"
        refused = thief.post(thief.headers())  # the very next request of whoever has the keys
        assert (refused.status_code, refused.json()["code"]) == (httpx.codes.FORBIDDEN, "agent_revoked")
        until(lambda: out(host), "the agent's end", AT_ONCE)
        assert says(host, "agent_revoked")
        assert says(host, "the machine was stolen")
        assert says(host, "ask for a package")
        assert {"identity.json", "certificate.pem"}.isdisjoint(files(host))
        assert {"journal", "revoked.json"} <= files(host)
        assert Problem.model_validate_json(thief.post(thief.headers()).content).revocation is not None
        assert running.revealed(deploy) == [b"Before-the-theft-1"]
        assert host.opens("deploy", b"Before-the-theft-1")

        # A restart, and a reboot, find the same; the used package lets nobody in, and no incident is made of it.
        again = host.run(["sh", f"{FOLDER}/installAgent-service.sh", "start"], text=True, check=False, timeout=60)
        assert (again.returncode, "agent_revoked" in again.stderr) == (1, True)
        assert [each for each in running.client.incidents() if each.host_name == host.name] == []

        known = next(each for each in running.client.resources() if each.name == host.name)
        host.write(TOKEN, token_of(running, "after", for_resource=known.id).encode(), 0o600)
        host.run(["systemctl", "restart", "keyturn-agent.service"])
        running.client.settle(waits(running, host).id, approve=True)
        host.run(["systemctl", "restart", "keyturn-agent.service"])

        def back() -> bool | None:
            now, seen = agent_of(running, host), running.account(deploy)
            return (now.id != agent.id and now.state == "active" and seen.status == "in_sync") or None

        until(back, "the machine to come back")
        assert running.revealed(deploy) == [b"Before-the-theft-1"]
        assert running.resets(deploy, "After-the-theft-1").state == "done"
        assert "revoked.json" not in files(host)


def test_it_holds_with_the_broker_down_and_what_waits_is_taken_back(running: Site) -> None:
    with managed(running, "dmz-web-05", "Before-the-outage-1") as (host, deploy):
        agent, thief = agent_of(running, host), Signer(running, host)
        host.run(["systemctl", "kill", "-s", "STOP", "keyturn-agent.service"])
        task = running.reset(deploy, "Never-to-be-set-1")
        until(lambda: running.client.task(task.id).state == "queued" or None, "the task to wait")
        running.server.broker.kill()
        try:
            assert running.client.revoke_agent(agent.id, "no longer ours").state == "revoked"
            refused = thief.post(thief.headers())
            assert (refused.status_code, refused.json()["code"]) == (httpx.codes.FORBIDDEN, "agent_revoked")
            host.run(["systemctl", "kill", "-s", "CONT", "keyturn-agent.service"])
            until(lambda: out(host), "the agent's end, without a broker", 60)
            ended = until(lambda: _over(running, task), "the task's end, without a broker", 60)
        finally:
            running.server.broker.restart()
            # The next story begins with services that have found the broker again.
            for name in ("gateway", "scheduler", "bundler"):
                running.server.process(name).wait_until_ready()
        assert ended.reason is not None
        assert (ended.state, ended.reason.code) == ("cancelled", "agent_revoked")
        seen = running.account(deploy)
        assert (seen.status, host.opens("deploy", b"Before-the-outage-1")) == ("in_sync", True)


def _over(site: Site, task: models.Task) -> models.Task | None:
    found = site.client.task(task.id)
    return None if found.open else found
