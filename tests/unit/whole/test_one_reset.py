"""One reset from a person's request to the proof, through the real code of every process."""

import pytest

from agent.backends.ports import SetAnswer, SetOutcome
from libs.wire.reasons import Reason
from libs.wire.secret import Secret
from tests.unit.whole.world import OLD, Machine, Whole


async def test_discovered_reset_proven_verified_revealed(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    assert account["status"] == "unmanaged"
    task = await system.reset(account["id"], password="Chosen-by-a-person-1")
    assert (await system.task_ends(task["id"]))["state"] == "done"
    shown = (await system.person.get(f"/v1/accounts/{account['id']}")).json()
    assert shown["status"] == "in_sync"
    assert machine.live() == b"Chosen-by-a-person-1"
    assert await system.reveal(account["id"]) == [b"Chosen-by-a-person-1"]
    ended = await system.task_ends((await system.verify(account["id"]))["id"])
    assert (ended["state"], ended["opens"]) == ("done", True)


async def test_a_generated_password_is_what_the_host_has(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    task = await system.reset(account["id"])
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert await system.reveal(account["id"]) == [machine.live()]


async def test_a_refusal_changes_nothing_and_says_why(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    machine.backend.refuse = SetAnswer(SetOutcome.REFUSED, Reason.DISK_FULL, "no space left")
    ended = await system.task_ends((await system.reset(account["id"]))["id"])
    assert ended["state"] == "refused"
    assert machine.live() == OLD.reveal()
    assert (await system.person.get(f"/v1/accounts/{account['id']}")).json()["status"] == "unmanaged"


async def test_an_answer_that_cannot_tell_is_settled_by_a_comparison(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    machine.backend.lose_answer = True
    task = await system.reset(account["id"], password="Lost-on-the-way-1")
    path = f"/v1/accounts/{account['id']}"
    await system.until("the proof", path, lambda seen: seen["status"] == "in_sync")
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert await system.reveal(account["id"]) == [b"Lost-on-the-way-1"]


async def test_somebody_on_the_host_changes_the_password(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    await system.task_ends((await system.reset(account["id"]))["id"])
    machine.backend._kept["deploy"].password = Secret("changed-on-the-host")
    ended = await system.task_ends((await system.verify(account["id"]))["id"])
    assert (ended["state"], ended["opens"]) == ("done", False)
    assert (await system.person.get(f"/v1/accounts/{account['id']}")).json()["status"] == "drift"


async def test_the_agent_is_away_and_comes_back(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    await machine.stop()
    task = await system.reset(account["id"], password="Set-after-a-restart-1")
    await system.until("the queue", f"/v1/tasks/{task['id']}", lambda seen: seen["state"] == "queued")
    machine.start()
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert machine.live() == b"Set-after-a-restart-1"


@pytest.mark.parametrize("process", ["scheduler", "bundler"])
async def test_a_service_is_restarted_in_the_middle(system: Whole, machine: Machine, process: str) -> None:
    account = await system.account("deploy")
    await system.end(process)
    task = await system.reset(account["id"], password="Across-a-restart-1")
    {"scheduler": system.begin_scheduler, "bundler": system.begin_bundler}[process]()
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert machine.live() == b"Across-a-restart-1"


async def test_a_cancel_before_any_agent_has_it(system: Whole, machine: Machine) -> None:
    account = await system.account("deploy")
    await machine.stop()
    task = await system.reset(account["id"], password="Never-set-at-all-1")
    await system.until("the queue", f"/v1/tasks/{task['id']}", lambda seen: seen["state"] == "queued")
    assert (await system.person.post(f"/v1/tasks/{task['id']}/cancel")).status_code == 202
    assert (await system.task_ends(task["id"]))["state"] == "cancelled"
    machine.start()
    again = await system.reset(account["id"], password="Set-instead-of-it-1")
    assert (await system.task_ends(again["id"]))["state"] == "done"
    assert machine.live() == b"Set-instead-of-it-1"


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_agent_killed_with_a_task_in_hand_compares_when_it_is_back(
    system: Whole, machine: Machine, moment: str
) -> None:
    account = await system.account("deploy")
    machine.backend.dies = moment
    task = await system.reset(account["id"], password="Fetched-and-killed-1")
    await machine.dies()
    assert machine.live() == (OLD.reveal() if moment == "before" else b"Fetched-and-killed-1")
    machine.backend.dies = None
    machine.start()
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert machine.live() == b"Fetched-and-killed-1"
    assert await system.reveal(account["id"]) == [b"Fetched-and-killed-1"]
