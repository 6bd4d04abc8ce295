"""Revocation, whole: from the next signed request on, and an agent believes nobody but the scheduler about itself."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from agent.farewell import RevokedError
from agent.identity import Identity
from libs.store.agents import AgentDocuments
from libs.store.requests import Requests
from libs.wire.revocation import Revocation, request_of, revocation
from libs.wire.seal import key_id
from tests.unit.whole.test_tokens import FIRST, decide, managed, problem, says, waits
from tests.unit.whole.world import DEPLOY, OLD, Machine, Whole


async def agent_of(system: Whole) -> dict[str, Any]:
    """The only agent as people see it."""
    (found,) = (await system.person.get("/v1/agents")).json()["items"]
    return dict(found)


async def revoke(system: Whole, agent: str, reason: str = "the machine was stolen") -> httpx.Response:
    return await system.person.post(f"/v1/agents/{agent}/revoke", json={"reason": reason})


async def ends(machine: Machine) -> str:
    """What the agent says when it ends by itself."""
    assert machine._life is not None
    assert machine._journal is not None
    with pytest.raises(RevokedError) as ended:
        async with asyncio.timeout(60):
            await machine._life
    machine._journal.close()
    machine._life = None
    return str(ended.value)


def files(machine: Machine) -> set[str]:
    return {each.name for each in (machine.folder / "state").iterdir()}


async def test_a_revoked_agent_ends_keeps_what_only_it_knows_and_comes_back_by_a_new_package_alone(
    system: Whole,
) -> None:
    machine, account = await managed(system)
    agent, key = await agent_of(system), key_id(Identity(machine.folder / "state").keys.signing.public_key())
    answer = await revoke(system, agent["id"])
    assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    said = await ends(machine)
    assert "the machine was stolen" in said
    assert "install" in said
    assert not {"identity.json", "certificate.pem"} & files(machine)
    assert {"revoked.json", "journal", "print.key"} <= files(machine)
    assert key_id(Identity(machine.folder / "state").keys.signing.public_key()) != key
    assert machine.live() == FIRST.encode()
    assert await system.reveal(account) == [FIRST.encode()]  # the vault keeps it, and shows it
    shown = await agent_of(system)
    assert (shown["state"], shown["revoked_because"]) == ("revoked", "the machine was stolen")
    refused = await system.person.post(f"/v1/accounts/{account}/reset", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_agent")

    machine.start()  # as after a reboot: the old package lets nobody in, and no incident is made of it
    assert await ends(machine) == said
    assert (await system.person.get("/v1/incidents")).json()["items"] == []

    resource = agent["resource"]["id"]
    (machine.folder / "package" / "token").write_text(await system.token(resource=resource, approval=True))
    machine.start()
    await decide(system, (await waits(system))["id"], "approve")
    await system.until("its new agent", f"/v1/resources/{resource}", lambda seen: seen["agent"]["id"] != agent["id"])
    await system.until("the proof", f"/v1/accounts/{account}", lambda seen: seen["status"] == "in_sync")
    task = await system.reset(account, password="After-the-theft-1")
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert "revoked.json" not in files(machine)
    await machine.stop()


async def test_asking_again_changes_nothing_and_an_unknown_agent_is_not_there(system: Whole) -> None:
    machine, _ = await managed(system)
    agent = (await agent_of(system))["id"]
    first, again = await revoke(system, agent, "first"), await revoke(system, agent, "second")
    assert (first.status_code, again.status_code) == (200, 200)
    await ends(machine)
    assert (await agent_of(system))["revoked_because"] == "first"
    trail = (await system.person.get("/v1/audit?limit=200")).json()["items"]
    assert [each["what"] for each in trail if each["what"].startswith("agent.revoke")].count("agent.revoke") == 1
    assert (await revoke(system, f"agt_{'a' * 26}")).status_code == 404


async def test_what_waits_is_withdrawn_and_what_its_agent_has_is_uncertain(system: Whole) -> None:
    machine, account = await managed(system)
    agent = (await agent_of(system))["id"]
    await machine.stop()
    task = await system.reset(account, password="Never-fetched-1")
    await system.until("the job", f"/v1/tasks/{task['id']}", lambda seen: seen["state"] == "queued")
    await revoke(system, agent)
    ended = await system.task_ends(task["id"])
    assert (ended["state"], ended["reason"]["code"]) == ("cancelled", "agent_revoked")
    seen = await system.until("the status", f"/v1/accounts/{account}", lambda seen: seen["flight"] is None)
    assert seen["status"] == "in_sync"  # as it was proven, and shown with the time of that


async def test_a_reset_at_the_agent_leaves_both_passwords_to_see(system: Whole) -> None:
    machine, account = await managed(system)
    agent, machine.backend.dies = (await agent_of(system))["id"], "after"
    await system.reset(account, password="Perhaps-live-1")
    await machine.dies()
    await system.until("the fetch", f"/v1/accounts/{account}", lambda seen: seen["flight"]["phase"] == "offered")
    await revoke(system, agent)
    await system.until("the doubt", f"/v1/accounts/{account}", lambda seen: seen["status"] == "uncertain")
    assert await system.reveal(account) == [b"Perhaps-live-1", FIRST.encode()]
    machine.backend.dies = None
    machine.start()  # it has an answer to tell, which counts for nothing now
    await ends(machine)
    assert (await system.person.get(f"/v1/accounts/{account}")).json()["status"] == "uncertain"


async def test_without_broker_and_scheduler_it_holds_from_the_next_request_and_only_slows_the_agent(
    system: Whole,
) -> None:
    machine, _ = await managed(system)
    agent = (await agent_of(system))["id"]
    await system.end("scheduler")
    system.node.stop()
    assert (await revoke(system, agent)).json()["state"] == "revoked"
    await says(machine, "agent_revoked")
    assert "identity.json" in files(machine)
    assert machine._life is not None
    assert not machine._life.done()
    system.node.start()
    system.begin_scheduler()
    await ends(machine)


class Liar(httpx.AsyncBaseTransport):
    """A gateway that says "revoked" to every signed request, with whatever statement it has, until it is told."""

    def __init__(self, honest: httpx.AsyncBaseTransport, statement: Any) -> None:
        self.honest, self.statement, self.lies = honest, statement, True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.lies:
            return await self.honest.handle_async_request(request)
        said = {"title": "Not allowed", "status": 403, "code": "agent_revoked", "revocation": self.statement}
        return httpx.Response(403, content=json.dumps(said), headers={"content-type": "application/problem+json"})


def forged(system: Whole, agent: str) -> dict[str, Any]:
    """What somebody without the scheduler's key can say, and what the scheduler says of others."""
    said = Revocation(agent=agent, revoked_at=1, reason="because")
    another = said.model_copy(update={"agent": f"agt_{'a' * 26}"})
    old_key = said.model_copy(update={"key": "sha256:" + "0" * 64})
    true = revocation(said, system.keys.task)
    return {
        "nothing": None,
        "signed by the gateway": revocation(said, system.keys.request).model_dump(mode="json"),
        "of another agent": revocation(another, system.keys.task).model_dump(mode="json"),
        "of another key": revocation(old_key, system.keys.task).model_dump(mode="json"),
        "altered": true.model_copy(update={"payload": true.payload + b" "}).model_dump(mode="json"),
    }


@pytest.mark.parametrize("how", ["nothing", "signed by the gateway", "of another agent", "of another key", "altered"])
async def test_nothing_less_than_the_schedulers_word_about_it_makes_an_agent_drop_its_identity(
    system: Whole, how: str
) -> None:
    machine, account = await managed(system)
    await machine.stop()
    identity = (machine.folder / "state" / "identity.key").read_bytes()
    liar = Liar(httpx.ASGITransport(system.gateway.app), forged(system, (await agent_of(system))["id"])[how])
    machine.start(liar)
    await says(machine, "agent_revoked")
    assert (machine.folder / "state" / "identity.key").read_bytes() == identity
    liar.lies = False
    task = await system.reset(account, password="All-the-same-1")
    assert (await system.task_ends(task["id"]))["state"] == "done"
    await machine.stop()


async def test_a_request_that_the_gateway_did_not_sign_revokes_nobody_and_is_told(system: Whole) -> None:
    machine, _ = await managed(system)
    agent = (await agent_of(system))["id"]
    store = Requests(system.server.store())
    await revoke(system, agent)
    await ends(machine)
    (true,) = await store.get_many([request_of(agent)])
    assert true.taken
    # The same, written by somebody who has the store and not the key: another agent's statement under this name.
    other = await system.machine("dmz-web-02", [(DEPLOY, OLD)])
    other.start()
    items = (await system.until("it", "/v1/agents", lambda seen: len(seen["items"]) == 2))["items"]
    second = next(each["id"] for each in items if each["id"] != agent)
    assert await store.insert(replace(true, id=request_of(second), taken=False))
    await other.stop()  # it may hold a poll already, and a session asks
    other.start()
    await says(other, "agent_revoked")  # whoever writes to the store can cause an outage
    await system.scheduler.desk.take(request_of(second))
    assert (await AgentDocuments(system.server.store()).get(second)).revoked is None  # type: ignore[union-attr]
    assert (await revoke(system, second)).json()["code"] == "revocation_not_trusted"
    await says_nothing(other)
    await other.stop()


async def says_nothing(machine: Machine) -> None:
    """Returns when the agent's status has no problem any more."""
    async with asyncio.timeout(60):
        while problem(machine) != "None":  # noqa: ASYNC110 - what a file says gives no event
            await asyncio.sleep(0.01)
