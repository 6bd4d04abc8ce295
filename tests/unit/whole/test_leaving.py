"""An agent that leaves, whole: what only its machine knows comes first, and its own word alone lets it go."""

import asyncio
import time
from dataclasses import replace

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from agent.journal import Journal
from agent.leaving import Departure, NotLeftError
from agent.pace import Pace
from agent.transport import RefusedError
from libs.store.accounts import Accounts
from libs.store.requests import Requests
from libs.wire.agent_api import LeaveAnswer, LeaveRequest
from libs.wire.ids import Noun, derived_id
from libs.wire.leaving import Leaving, leaving
from tests.unit.whole.composition import make_agent
from tests.unit.whole.test_revocation import agent_of, files
from tests.unit.whole.test_tokens import FIRST, managed
from tests.unit.whole.world import Machine, Whole


async def leaves(machine: Machine, wire: httpx.AsyncBaseTransport | None = None, seconds: float = 5.0) -> str:
    """What `keyturn-agent leave` does, on a machine whose service was stopped."""
    way = wire or httpx.ASGITransport(machine.whole.gateway.app)
    with Journal(machine.folder / "state" / "journal") as journal:
        agent = make_agent(machine.folder, machine.backend, journal, way, pace=Pace(ceiling=0.05))
        departure = Departure(
            machine.folder / "state", agent.identity, agent.memory, agent, lambda _: asyncio.sleep(0.01), time.monotonic
        )
        return await departure.leave(seconds)


class Lossy(httpx.AsyncBaseTransport):
    """The server takes the word, and its answer is lost, once."""

    def __init__(self, whole: Whole) -> None:
        self._through, self.lost = httpx.ASGITransport(whole.gateway.app), 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._through.handle_async_request(request)
        if request.url.path == "/agent/v1/leave" and not self.lost:
            self.lost += 1
            raise httpx.ReadError("cut")
        return answer


async def test_it_is_shown_as_left_and_everything_it_set_stays_in_the_vault(system: Whole) -> None:
    machine, account = await managed(system)
    await machine.stop()
    said = await leaves(machine, Lossy(system))
    assert said.startswith("the agent told the server that it leaves")
    seen = await system.until("the end", "/v1/agents", lambda s: s["items"][0]["revoked_because"])
    (agent,) = seen["items"]
    assert (agent["state"], agent["revoked_because"]) == ("left", "it was removed from its machine")
    (listed,) = (await system.person.get("/v1/resources")).json()["items"]
    assert listed["agent"]["state"] == "left"  # nobody took it away, and no list says so
    assert await system.reveal(account) == [FIRST.encode()]
    refused = await system.person.post(f"/v1/accounts/{account}/reset", json={})
    assert refused.json()["code"] == "no_agent"
    again = await system.person.post(f"/v1/agents/{agent['id']}/revoke", json={"reason": "to be sure"})
    assert again.json()["state"] == "left"
    page = await system.person.get("/v1/audit?limit=200")
    assert [each["what"] for each in page.json()["items"]].count("agent.leave") == 1
    assert await leaves(machine) == "the agent had left before"
    assert "leaving.json" in files(machine)


async def test_what_waits_is_answered_first_and_what_the_vault_lacks_is_handed_over(system: Whole) -> None:
    machine, account = await managed(system)
    await machine.stop()
    task = await system.reset(account, password="Set-on-the-way-out-1")
    await system.until("the job", f"/v1/tasks/{task['id']}", lambda seen: seen["state"] == "queued")
    # The store was put back to before the first reset, which nobody noticed: the vault does not know that version.
    accounts = Accounts(system.server.store())
    before = await accounts.get(account)
    assert before is not None
    known = tuple(each for each in before.rotation.versions if each.proven_at is None)
    rotation = replace(before.rotation, versions=known, proof=None)
    assert await accounts.save(before, replace(before, rotation=rotation, rev=before.rev + 1))
    await leaves(machine)
    await system.until("the end", "/v1/agents", lambda s: s["items"][0]["revoked_because"])
    assert (await system.task_ends(task["id"]))["state"] == "done"
    assert machine.live() == b"Set-on-the-way-out-1"
    assert (await system.reveal(account))[0] == b"Set-on-the-way-out-1"


async def test_a_server_that_is_away_lets_nobody_go(system: Whole) -> None:
    machine, _ = await managed(system)
    await machine.stop()

    class Away(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("nobody", request=request)

    with pytest.raises(NotLeftError, match="no_contact"):
        await leaves(machine, Away(), seconds=0.05)
    assert (await agent_of(system))["state"] == "active"
    assert "leaving.json" not in files(machine)
    machine.start()  # and it goes on, as if nobody had asked
    await system.until("contact", "/v1/agents", lambda s: s["items"][0]["last_seen"])
    await machine.stop()


async def test_the_gateway_cannot_let_an_agent_go(system: Whole) -> None:
    """It signs the request, and the word in it is of another agent's key."""
    machine, account = await managed(system)
    agent = (await agent_of(system))["id"]
    await machine.stop()
    with Journal(machine.folder / "state" / "journal") as journal:
        way = httpx.ASGITransport(system.gateway.app)
        made = make_agent(machine.folder, machine.backend, journal, way, pace=Pace(ceiling=0.05))
        enrolled = await made.answers_what_waits()
        said = Leaving(agent=enrolled.agent, resource=enrolled.resource, at=1)
        word = leaving(said, generate_private_key(SECP256R1()))
        request = LeaveRequest(agent=enrolled.agent, leaving=word, run=made.says())
        with pytest.raises(RefusedError, match="last word") as refused:
            await made.transport.send_signed("/agent/v1/leave", request, LeaveAnswer)
    assert refused.value.code == "leaving_invalid"
    assert await Requests(system.server.store()).get(derived_id(Noun.REQUEST, "leave_agent", agent)) is None
    assert (await agent_of(system))["state"] == "active"
    assert await system.reveal(account) == [FIRST.encode()]
