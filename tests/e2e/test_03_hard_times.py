"""Story 3: parts are killed, away or silent in the middle of a reset; it ends once, and the vault is right."""

import subprocess
import time
from functools import partial

import httpx
import pytest

from deploy.local.parts import Part
from libs.client import models
from libs.client.errors import RefusedError
from tests.e2e.site import OLD, Site, until

pytestmark = [pytest.mark.real, pytest.mark.host]


def one_effect(site: Site, account: models.Account, password: str) -> None:
    """The reset ended as done, the host has its password, and the vault shows exactly that."""
    assert site.settles(account, 120).status == "in_sync"
    assert site.host.opens(account.name, password.encode())
    assert site.revealed(account) == [password.encode()]
    done = [task for task in site.client.tasks(account=account.id) if task.kind == "reset"]
    assert [task.state for task in done] == ["done"]


def test_cancelled_before_the_agent_has_it(running: Site) -> None:
    account = running.add_account("cancelled")
    running.agent("stop")
    try:
        task = running.reset(account, "Never-to-be-set-1")
        until(lambda: running.client.task(task.id).state == "queued" or None, "the queue")
        running.client.cancel(task.id)
        ended = running.ends(task)
    finally:
        running.agent("start")
    assert ended.state == "cancelled"
    assert running.account(account).status == "unmanaged"
    assert running.host.opens("cancelled", OLD)


def test_a_second_change_is_refused_and_says_whose_is_first(running: Site) -> None:
    account = running.add_account("busy")
    running.agent("stop")
    try:
        first = running.reset(account, "The-first-of-two-1")
        until(lambda: running.client.task(first.id).state == "queued" or None, "the queue")
        with pytest.raises(RefusedError, match="ops") as refused:
            running.reset(account, "The-second-of-two-1")
        assert refused.value.code == "account_busy"
    finally:
        running.agent("start")
    one_effect(running, account, "The-first-of-two-1")


@pytest.mark.parametrize("name", ["scheduler", "gateway", "bundler"])
def test_a_service_is_killed_in_the_middle_of_a_reset(running: Site, name: str) -> None:
    account = running.add_account(f"kill-{name}")
    running.agent("stop")
    task = running.reset(account, f"Across-a-kill-of-{name}-1")
    process = running.server.process(name)
    process.kill()
    running.agent("start")
    process.restart()
    until(lambda: _open(running, task), "the task's end", 120)
    one_effect(running, account, f"Across-a-kill-of-{name}-1")


@pytest.mark.parametrize("name", ["broker", "store"])
def test_broker_or_store_is_killed_in_the_middle_of_a_reset(running: Site, name: str) -> None:
    account = running.add_account(f"kill-{name}")
    part = running.server.broker if name == "broker" else running.server.store
    task = running.reset(account, f"Across-a-kill-of-{name}-1")
    part.kill()
    until(lambda: running.waits_for("scheduler", name), f"the word that the {name} is away")
    part.restart()
    until(lambda: _open(running, task), "the task's end", 120)
    one_effect(running, account, f"Across-a-kill-of-{name}-1")


def _open(site: Site, task: models.Task) -> bool | None:
    """True once the task is over; None also while nothing answers."""
    try:
        return None if site.client.task(task.id).open else True
    except Exception:  # noqa: BLE001 - whatever is away comes back; the caller has the deadline
        return None


def test_services_that_start_without_store_and_broker_say_so_and_go_on(running: Site) -> None:
    account = running.add_account("away")
    services = [running.server.process(each) for each in ("scheduler", "bundler", "gateway")]
    parts: dict[str, Part] = {"store": running.server.store, "broker": running.server.broker}
    in_the_log = {"store": "waiting for the store", "broker": "broker is away"}
    for part in (*services, *parts.values()):
        part.kill()
    logs = {service.name: running.server.logs / f"{service.name}.log" for service in services}
    marks = {name: log.stat().st_size for name, log in logs.items()}
    for service in services:
        service.launch()
    for name, part in parts.items():
        for service in services:
            words = f"waiting for the {name}"
            until(partial(running.waits_for, service.name, name, words), f"{service.name} to say that it is {words}")
            assert in_the_log[name] in logs[service.name].read_bytes()[marks[service.name] :].decode()
            assert httpx.get(f"{service.health_url}/livez", trust_env=False).status_code == httpx.codes.OK
        part.restart()
    for service in services:
        service.wait_until_ready()
    assert running.resets(account, "After-all-came-1").state == "done"
    one_effect(running, account, "After-all-came-1")


def test_the_agent_is_killed_while_its_tool_waits_for_the_lock(running: Site) -> None:
    """Case 10. The agent that systemd starts again meets the lock still held, and must not say what it cannot know."""
    account = running.add_account("late")
    running.resets(account, "Before-the-lock-1")
    script = "import fcntl,sys;f=open('/etc/.pwd.lock','w');fcntl.lockf(f,2);print('held',flush=True);sys.stdin.read()"
    holder = subprocess.Popen(
        running.host.command(["python3", "-c", script]),
        env=running.host.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:  # which lets go of the lock at the end of this block
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        task = running.reset(account, "Landing-late-1")
        until(lambda: running.client.task(task.id).state == "offered" or None, "the offer")
        first = running.agent_pid()
        running.host.run(["kill", "-9", str(first)])
        until(lambda: running.agent_pid() not in (0, first) or None, "systemd to start it again")
        time.sleep(0.5)
        assert holder.poll() is None, "the lock was let go before the agent was back"
        assert running.host.opens("late", b"Before-the-lock-1")
    ended = running.ends(task, 150)
    seen = running.settles(account, 150)
    assert seen.status == "in_sync"
    (shown,) = running.revealed(account)
    assert running.host.opens("late", shown)
    assert shown == {"done": b"Landing-late-1", "refused": b"Before-the-lock-1"}[ended.state]


def test_the_agent_is_killed_again_and_again(running: Site) -> None:
    account = running.add_account("killed")
    for n in range(3):
        task = running.reset(account, f"Killed-in-between-{n}")
        time.sleep(0.03 * n)
        running.kill_agent()
        running.revive_agent()
        assert running.ends(task, 150).state == "done"
        assert running.settles(account, 150).status == "in_sync"
        (shown,) = running.revealed(account)
        assert running.host.opens("killed", shown)
        assert shown == f"Killed-in-between-{n}".encode()
