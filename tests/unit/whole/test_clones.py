"""One identity on two machines, whole: both are quarantined, a person chooses, and one machine is never two."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from libs.store.runs import RunsDocuments
from libs.wire.secret import Secret
from tests.unit.whole.test_revocation import agent_of, ends, files, revoke
from tests.unit.whole.test_tokens import FIRST, decide, managed, says, waits
from tests.unit.whole.world import DEPLOY, DyingBackend, Machine, Whole

MINUTE = 60_000


def copy_of(machine: Machine, name: str) -> Machine:
    """Another machine from a copy of this one's disk, taken now; its agent is not started."""
    folder = machine.folder.with_name(name)
    shutil.copytree(machine.folder, folder)
    return Machine(machine.whole, name, folder, DyingBackend([(DEPLOY, Secret(machine.live().decode()))]))


@pytest.fixture
async def clone(system: Whole) -> AsyncIterator[tuple[Machine, Machine, str]]:
    """A managed machine, its clone, both running and quarantined; the account."""
    original, account = await managed(system)
    second = copy_of(original, "copy")
    system.clock.ahead += MINUTE
    second.start()
    await says(original, "request_late")  # it was polling, and had to open a session
    system.clock.ahead += 2 * MINUTE
    await system.until("the quarantine", f"/v1/accounts/{account}", lambda seen: seen["status"] == "quarantined")
    yield original, second, account
    for each in (original, second):
        await each.stop()


async def quarantined(machine: Machine) -> None:
    await says(machine, "agent_quarantined")


async def test_both_are_quarantined_nothing_is_sent_and_people_see_which_two(
    system: Whole, clone: tuple[Machine, Machine, str]
) -> None:
    original, second, account = clone
    for each in (original, second):
        await quarantined(each)
        assert "identity.json" in files(each)
    refused = await system.person.post(f"/v1/accounts/{account}/reset", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "account_quarantined")
    seen = await agent_of(system)
    assert (seen["state"], len(seen["machines"])) == ("quarantined", 2)
    shown = await system.until("the incident", "/v1/incidents", lambda seen: seen["items"])
    (incident,) = shown["items"]
    assert incident["kind"] == "identity_on_two_machines"
    assert incident["agent"] == seen["id"]
    assert all(each["run"][:8] in incident["sentence"] for each in seen["machines"])
    assert await system.reveal(account) == [FIRST.encode()]


async def chosen(system: Whole, machine: Machine) -> dict[str, Any]:
    """Chooses this machine, by the run with its count of starts."""
    boot = json.loads((machine.folder / "state" / "identity.json").read_text())["boot"]
    agent = await agent_of(system)
    (run,) = [each["run"] for each in agent["machines"] if each["starts"] == boot]
    body = {"run": run, "reason": "the one in rack 7"}
    answer = await system.person.post(f"/v1/agents/{agent['id']}/choose", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def released(system: Whole, account: str) -> None:
    """Lets the scheduler sweep until the account is proven again."""
    async with asyncio.timeout(60):
        while True:
            await system.scheduler.sweeper.sweep()
            seen = (await system.person.get(f"/v1/accounts/{account}")).json()
            if seen["status"] == "in_sync":
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("which", ["original", "clone"])
async def test_the_chosen_one_gets_other_keys_and_goes_on_and_the_other_one_is_out(
    system: Whole, clone: tuple[Machine, Machine, str], which: str
) -> None:
    original, second, account = clone
    right, wrong = (original, second) if which == "original" else (second, original)
    before = json.loads((right.folder / "state" / "identity.json").read_text())["pair"]
    await chosen(system, right)
    await released(system, account)
    assert json.loads((right.folder / "state" / "identity.json").read_text())["pair"] == before + 1
    assert "another machine has this key too" in await ends(wrong)
    assert "identity.json" not in files(wrong)
    task = await system.reset(account, password="Of-the-right-one-1")
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert (right.live(), wrong.live()) == (b"Of-the-right-one-1", FIRST.encode())
    seen = await agent_of(system)
    assert (seen["state"], seen["machines"]) == ("active", [])
    trail = [each["what"] for each in (await system.person.get("/v1/audit?limit=200")).json()["items"]]
    assert {"agent.quarantine", "agent.choose_requested", "agent.choose", "agent.release"} <= set(trail)


async def test_before_it_is_chosen_neither_renews_and_a_choice_is_needed_of_one_of_them(
    system: Whole, clone: tuple[Machine, Machine, str]
) -> None:
    _, _, account = clone
    agent = await agent_of(system)
    path = f"/v1/agents/{agent['id']}/choose"
    answer = await system.person.post(path, json={"run": "0" * 32, "reason": "x"})
    assert answer.status_code == 404
    for _ in range(3):
        await system.scheduler.sweeper.sweep()
        await asyncio.sleep(0.05)
    assert (await system.person.get(f"/v1/accounts/{account}")).json()["status"] == "quarantined"


async def test_a_quarantined_agent_can_be_revoked_and_the_machine_enrols_anew(
    system: Whole, clone: tuple[Machine, Machine, str]
) -> None:
    original, second, account = clone
    agent = await agent_of(system)
    await revoke(system, agent["id"])
    for each in (original, second):
        await ends(each)
    token = await system.token(resource=agent["resource"]["id"], approval=True)
    (original.folder / "package" / "token").write_text(token)
    original.start()
    await decide(system, (await waits(system))["id"], "approve")
    await system.until("the proof", f"/v1/accounts/{account}", lambda seen: seen["status"] == "in_sync")


async def test_a_machine_that_starts_again_or_is_put_back_is_one_machine(system: Whole) -> None:
    machine, account = await managed(system)
    kept = machine.folder.with_name("snapshot")
    await machine.stop()
    shutil.copytree(machine.folder / "state", kept)
    for _ in range(2):
        machine.start()
        task = await system.reset(account)
        assert (await system.task_ends(task["id"]))["state"] == "done"
        await machine.stop()
        system.clock.ahead += 5 * MINUTE
    shutil.rmtree(machine.folder / "state")
    shutil.copytree(kept, machine.folder / "state")
    machine.start()
    for _ in range(2):
        task = await system.verify(account)
        assert (await system.task_ends(task["id"]))["state"] == "done"
        system.clock.ahead += 5 * MINUTE
    assert (await agent_of(system))["state"] == "active"
    assert (await system.person.get("/v1/incidents")).json()["items"] == []
    await machine.stop()


async def test_a_machine_put_back_while_it_ran_begins_another_run_by_itself(system: Whole) -> None:
    machine, account = await managed(system)
    runs, agent = RunsDocuments(system.server.store()), (await agent_of(system))["id"]
    while True:  # the agent may speak at this moment
        before = await runs.get(agent)
        assert before is not None
        assert before.runs is not None
        ahead = replace(before, runs=replace(before.runs, count=before.runs.count + 50), rev=before.rev + 1)
        if await runs.save(before, ahead):
            break
    task = await system.reset(account, password="In-another-run-1")
    assert (await system.task_ends(task["id"]))["state"] == "done"
    after = await runs.get(agent)
    assert after is not None
    assert after.runs is not None
    assert after.runs.newest.run != before.runs.newest.run
    assert after.runs.newest.boot == before.runs.newest.boot + 1
    assert (await agent_of(system))["state"] == "active"
    await machine.stop()
