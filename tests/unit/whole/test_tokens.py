"""Enrolment, whole: a person lets a machine in, a known machine comes back, and nobody is taken over by a name."""

import asyncio
import json
from typing import Any

from libs.store.certificates import Certificates
from libs.store.jobs import Jobs
from libs.wire.secret import Secret
from tests.unit.whole.world import DEPLOY, Machine, Whole

OLD, FIRST = Secret("what-it-was-before"), "First-of-all-1"


def problem(machine: Machine) -> str:
    """What the agent's status says is wrong."""
    path = machine.folder / "status.json"
    return str(json.loads(path.read_text())["problem"]) if path.exists() else ""


async def says(machine: Machine, code: str) -> None:
    """Returns when the agent's status names this code."""
    for _ in range(1_000):
        if code in problem(machine):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{code} was not said, but {problem(machine)}")


async def waits(system: Whole) -> dict[str, Any]:
    """The one machine that waits."""
    shown = await system.until("a machine that waits", "/v1/enrolments?state=waiting", lambda seen: seen["items"])
    (found,) = shown["items"]
    return dict(found)


async def decide(system: Whole, enrolment: str, verb: str) -> dict[str, Any]:
    answer = await system.person.post(f"/v1/enrolments/{enrolment}/{verb}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def resources(system: Whole) -> list[dict[str, Any]]:
    """Oldest first."""
    return list(reversed((await system.person.get("/v1/resources")).json()["items"]))


async def managed(system: Whole, name: str = "dmz-web-01") -> tuple[Machine, str]:
    """A machine whose account was reset and proven."""
    machine = await system.machine(name, [(DEPLOY, OLD)])
    machine.start()
    account = (await system.account("deploy"))["id"]
    task = await system.reset(account, password=FIRST)
    assert (await system.task_ends(task["id"]))["state"] == "done"
    return machine, account


async def test_a_machine_waits_says_so_and_is_let_in(system: Whole) -> None:
    machine = await system.machine("dmz-web-01", [(DEPLOY, OLD)], token=await system.token(approval=True))
    machine.start()
    found = await waits(system)
    assert await resources(system) == []
    assert await Certificates(system.server.store()).created(0, 2**53) == []
    await says(machine, found["id"])  # what the machine's administrator tells the approver
    approved = await decide(system, found["id"], "approve")
    assert (approved["state"], approved["decided_by"]["name"]) == ("approved", "ops")
    account = await system.account("deploy")
    assert account["status"] == "unmanaged"
    await machine.stop()


async def test_a_denied_machine_says_so(system: Whole) -> None:
    machine = await system.machine("dmz-web-01", [(DEPLOY, OLD)], token=await system.token(approval=True))
    machine.start()
    await decide(system, (await waits(system))["id"], "deny")
    await says(machine, "approval_denied")
    assert await resources(system) == []
    await machine.stop()


async def test_a_known_machine_comes_back_with_new_keys_and_keeps_everything(system: Whole) -> None:
    old, account = await managed(system)
    await old.stop()
    (resource,) = await resources(system)
    new = await system.machine(
        "the-same-again", [(DEPLOY, Secret(FIRST))], token=await system.token(resource=resource["id"])
    )
    new.start()
    found = await waits(system)
    assert found["for_resource"] == {"id": resource["id"], "name": resource["name"]}
    before = (await system.person.get(f"/v1/accounts/{account}")).json()
    assert before["status"] == "in_sync"
    assert (await resources(system))[0]["agent"]["id"] == resource["agent"]["id"]
    await decide(system, found["id"], "approve")

    def compared(seen: Any) -> bool:
        return bool(seen["status"] == "in_sync" and seen["proof"]["at"] != before["proof"]["at"])

    after = await system.until("a new proof", f"/v1/accounts/{account}", compared)
    assert [each["generation"] for each in after["versions"]] == [each["generation"] for each in before["versions"]]
    assert await system.reveal(account) == [FIRST.encode()]
    (now,) = await resources(system)
    assert (now["id"], now["name"]) == (resource["id"], resource["name"])
    assert now["agent"]["id"] != resource["agent"]["id"]
    # The disk that was thought lost comes back: it is told, and has no mail.
    old.start()
    await says(old, "agent_revoked")
    assert await Jobs(system.server.store()).of_agent(resource["agent"]["id"]) == []
    task = await system.reset(account, password="Second-of-all-2")
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert await system.reveal(account) == [b"Second-of-all-2"]
    await old.stop()
    await new.stop()


async def test_nothing_changes_while_nobody_has_approved(system: Whole) -> None:
    """A stolen package for a known machine, in the hands of somebody else: he waits, and is seen."""
    old, account = await managed(system)
    (resource,) = await resources(system)
    thief = await system.machine("thief", [(DEPLOY, OLD)], token=await system.token(resource=resource["id"]))
    thief.start()
    found = await waits(system)
    task = await system.reset(account, password="Set-while-he-waits-2")
    assert (await system.task_ends(task["id"]))["state"] == "done"
    await decide(system, found["id"], "deny")
    assert (await resources(system))[0]["agent"]["id"] == resource["agent"]["id"]
    assert len(await Certificates(system.server.store()).of_resource(resource["id"])) == 1
    await thief.stop()
    await old.stop()


async def test_a_known_name_makes_another_resource_by_another_name(system: Whole) -> None:
    old, account = await managed(system)
    again = await system.machine("again", [(DEPLOY, OLD)])
    again.start()
    await system.until("a second resource", "/v1/resources", lambda seen: len(seen["items"]) == 2)
    first, second = await resources(system)
    assert second["name"] == f"{first['name']}-{second['id'][-6:]}"
    assert (await system.person.get(f"/v1/accounts/{account}")).json()["status"] == "in_sync"
    assert await system.reveal(account) == [FIRST.encode()]
    await again.stop()
    await old.stop()


async def test_a_copied_package_is_an_incident_that_people_see(system: Whole) -> None:
    token = await system.token()
    first = await system.machine("first", [(DEPLOY, OLD)], token=token)
    first.start()
    await system.account("deploy")
    copy = await system.machine("copy", [(DEPLOY, OLD)], token=token)
    copy.start()
    shown = await system.until("the incident", "/v1/incidents", lambda seen: seen["items"])
    assert [each["kind"] for each in shown["items"]] == ["token_used_by_another_key"]
    records = (await system.person.get("/v1/audit")).json()["items"]
    assert ("agent.enrol", "incident") in [(each["what"], each["outcome"]) for each in records]
    assert len(await resources(system)) == 1
    await copy.stop()
    await first.stop()
