"""The gateway's side of a revocation: refused from the write on, polls ended, and only documents believed."""

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.broker.memory.broker import MemoryBroker
from libs.broker.topology import Service as BrokerUser
from libs.store.agents import AgentDocument, AgentDocuments
from libs.store.requests import Requests
from libs.wire.agent_api import Problem, SessionRequest
from libs.wire.events import AgentRevoked
from libs.wire.observations import digest
from libs.wire.requests import Request, RevokeAgentContent
from libs.wire.revocation import Revocation, request_of, revocation
from libs.wire.sign import Prefix, verify
from tests.unit.api.world import NOW, TestAgent, World

REASON = {"reason": "stolen"}


def contact(agent: TestAgent, clock: int | None = None) -> SessionRequest:
    return SessionRequest(agent=agent.id, agent_version="1.0", boot=1, sequence=0, digest=digest(()), clock=clock)


async def statement(world: World, agent: TestAgent) -> None:
    """What the scheduler writes."""
    now = world.clock.now()
    said = Revocation(agent=agent.id, revoked_at=now, reason="stolen")
    document = AgentDocument(id=agent.id, revoked=revocation(said, Ed25519PrivateKey.generate()), revoked_at=now)
    assert await AgentDocuments(world.admin).insert(document)


async def test_the_request_is_signed_for_good_and_written_once(
    world: World, people: dict[str, dict[str, str]], agent: TestAgent
) -> None:
    for reason in ("stolen", "another"):
        answer = await world.client.post(
            f"/v1/agents/{agent.id}/revoke", json={"reason": reason}, headers=people["ada"]
        )
        assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    document = await Requests(world.admin).get(request_of(agent.id))
    assert document is not None
    request = Request.model_validate_json(verify(document.signed, Prefix.REQUEST, world.keys.request.public_key()))
    assert request.content == RevokeAgentContent(agent=agent.id, reason="stolen")
    assert request.person is not None
    assert (request.person.name, request.id) == ("ada", document.id)
    assert request.deadline > NOW + 50 * 365 * 86_400_000


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "x", "why": "y"}])
async def test_a_reason_is_needed(
    world: World, people: dict[str, dict[str, str]], agent: TestAgent, body: dict[str, str]
) -> None:
    answer = await world.client.post(f"/v1/agents/{agent.id}/revoke", json=body, headers=people["ada"])
    assert answer.status_code == 422
    assert await Requests(world.admin).get(request_of(agent.id)) is None


async def test_every_signed_request_is_refused_first_without_and_then_with_the_statement(
    world: World, people: dict[str, dict[str, str]], agent: TestAgent
) -> None:
    assert (await agent.post("/agent/v1/session", contact(agent))).status_code == 200
    await world.client.post(f"/v1/agents/{agent.id}/revoke", json=REASON, headers=people["ada"])
    refused = await agent.post("/agent/v1/session", contact(agent))
    assert (refused.status_code, refused.json()["code"], "revocation" in refused.json()) == (
        403,
        "agent_revoked",
        False,
    )
    await statement(world, agent)
    for path in ("session", "fetch", "report", "observe", "renew"):
        message = {"version": 1, "agent": agent.id} | _BODIES.get(path, contact(agent).model_dump(mode="json"))
        found = await agent.post(f"/agent/v1/{path}", message)
        assert (found.status_code, found.json()["code"]) == (403, "agent_revoked"), path
        kept = await AgentDocuments(world.admin).get(agent.id)
        assert kept is not None
        assert Problem.model_validate_json(found.content).revocation == kept.revoked


_SIGNED = {"payload": "AA==", "key": "sha256:" + "0" * 64, "signature": "AA=="}
_BODIES: dict[str, dict[str, Any]] = {
    "fetch": {},
    "report": {"results": [_SIGNED]},
    "observe": {"observation": _SIGNED},
    "renew": {"renewal": _SIGNED},
}


async def poll(world: World, token: str, wait: int = 50) -> int:
    """The status of a poll's answer."""
    headers = {"authorization": f"Bearer {token}"}
    return (await world.client.get("/agent/v1/poll", params={"wait": wait}, headers=headers)).status_code


async def held(world: World, agent: TestAgent) -> tuple[str, "asyncio.Task[int]"]:
    """A session's token, and a poll that is held by it."""
    token = (await agent.post("/agent/v1/session", contact(agent))).json()["token"]
    polling = asyncio.ensure_future(poll(world, token))
    while not world.gateway.mailroom.waiting:  # noqa: ASYNC110 - the mailroom rings no bell for a test
        await asyncio.sleep(0)
    return token, polling


async def test_its_held_poll_ends_at_once_and_its_token_is_good_for_no_other(
    world: World, people: dict[str, dict[str, str]], agent: TestAgent
) -> None:
    token, polling = await held(world, agent)
    world.node.stop()
    await world.client.post(f"/v1/agents/{agent.id}/revoke", json=REASON, headers=people["ada"])
    assert await polling == 401
    assert await poll(world, token) == 401


async def test_at_another_gateway_its_polls_end_at_the_sweep(world: World, agent: TestAgent) -> None:
    token, polling = await held(world, agent)
    await statement(world, agent)
    await asyncio.sleep(0)
    assert not polling.done()
    await world.gateway.notices.rebuild()
    assert await polling == 401
    assert await poll(world, token) == 401
    await world.gateway.notices.rebuild()
    assert await poll(world, token) == 401


async def test_a_notice_that_anybody_can_send_ends_a_poll_and_no_more(world: World, agent: TestAgent) -> None:
    listening = asyncio.ensure_future(world.gateway.notices.listen())
    token, polling = await held(world, agent)
    await MemoryBroker(world.node, BrokerUser.BUNDLER).notify(AgentRevoked(agent=agent.id).envelope(NOW))
    assert await polling == 200
    assert await poll(world, token, 0) == 200
    await statement(world, agent)
    await MemoryBroker(world.node, BrokerUser.BUNDLER).notify(AgentRevoked(agent=agent.id).envelope(NOW))
    async with asyncio.timeout(5):
        while await poll(world, token, 0) == 200:  # noqa: ASYNC110 - nothing tells that a notice was read
            await asyncio.sleep(0)
    listening.cancel()


DAY = 86_400_000


@pytest.mark.parametrize(
    ("off", "shown"), [(10 * DAY, 864_000), (-10 * DAY, -864_000), (900, 0), (-2_400, 0), (None, None)]
)
async def test_how_far_a_machines_clock_is_off_is_shown(
    world: World, people: dict[str, dict[str, str]], agent: TestAgent, off: int | None, shown: int | None
) -> None:
    clock = None if off is None else world.clock.now() + off
    assert (await agent.post("/agent/v1/session", contact(agent, clock))).status_code == 200
    (seen,) = (await world.client.get("/v1/agents", headers=people["ben"])).json()["items"]
    assert seen["clock_skew_seconds"] == shown
