"""Story 3: parts are killed, away or silent in the middle of a reset; it ends once, and the vault is right."""

import threading
import time

import pytest

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
    until(lambda: not running.ready("scheduler", name) or None, f"the word that the {name} is away")
    part.restart()
    until(lambda: _open(running, task), "the task's end", 120)
    one_effect(running, account, f"Across-a-kill-of-{name}-1")


def _open(site: Site, task: models.Task) -> bool | None:
    """True once the task is over; None also while nothing answers."""
    try:
        return None if site.client.task(task.id).open else True
    except Exception:  # noqa: BLE001 - whatever is away comes back; the caller has the deadline
        return None


def test_the_agent_is_killed_while_its_tool_waits_for_the_lock(running: Site) -> None:
    """Case 10: the change lands after the agent died; the agent that comes back must not say that it did not."""
    account = running.add_account("late")
    running.resets(account, "Before-the-lock-1")
    script = "import fcntl,time;f=open('/etc/.pwd.lock','w');fcntl.lockf(f,2);print('held',flush=True);time.sleep(8)"
    holder = threading.Thread(target=running.host.run, args=(["python3", "-c", script],))
    holder.start()
    time.sleep(0.5)
    task = running.reset(account, "Landing-late-1")
    time.sleep(2)
    running.kill_agent()
    holder.join()
    running.revive_agent()
    assert running.ends(task, 150).state in ("done", "refused")
    seen = running.settles(account, 150)
    assert seen.status == "in_sync"
    (shown,) = running.revealed(account)
    assert running.host.opens("late", shown)


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
