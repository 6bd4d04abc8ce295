"""Renewal at the door: when an agent is told to, and what an expired certificate is still good for."""

import pytest

from libs.broker.topology import QueueName
from libs.wire.agent_api import FetchRequest, RenewAnswer, RenewRequest, SessionRequest
from libs.wire.observations import digest
from libs.wire.renewal import renewal
from libs.wire.requests import RenewContent, Renewed
from tests.unit.api.test_resets import revoke
from tests.unit.api.world import TestAgent, World


@pytest.fixture
async def agent(world: World) -> TestAgent:
    _, agent = await world.machine(await world.user("ben"))
    return agent


def contact(agent: TestAgent) -> SessionRequest:
    return SessionRequest(agent=agent.id, agent_version="1.0", boot=1, sequence=0, digest=digest(()))


async def test_an_expired_certificate_is_good_for_renewing_alone(world: World, agent: TestAgent) -> None:
    world.clock.skip(7 * 86_400 + 1)
    for path, body in (("session", contact(agent)), ("fetch", FetchRequest(agent=agent.id))):
        refused = await agent.post(f"/agent/v1/{path}", body)
        assert (refused.status_code, refused.json()["code"]) == (403, "certificate_expired")
    said = renewal(agent.id, b"a request", agent.private)
    async with world.answering(QueueName.ENROLMENTS, lambda _: Renewed(certificate=b"a certificate")) as heard:
        answer = await agent.post("/agent/v1/renew", RenewRequest(agent=agent.id, renewal=said))
    assert RenewAnswer.model_validate_json(answer.content).certificate == b"a certificate"
    (request,) = heard
    assert isinstance(request.content, RenewContent)
    assert (request.content.agent, request.content.renewal) == (agent.id, said)
    await revoke(world, agent.id)
    refused = await agent.post("/agent/v1/renew", RenewRequest(agent=agent.id, renewal=said))
    assert refused.json()["code"] == "agent_revoked"


async def test_a_session_says_when_to_renew_and_ends_by_then(world: World, agent: TestAgent) -> None:
    seen, whole, at = [], 7 * 86_400, 0
    for then in (0, whole * 2 // 3 - 60, whole * 2 // 3 + 1, whole - 30):
        world.clock.skip(then - at)
        at = then
        answer = (await agent.post("/agent/v1/session", contact(agent))).json()
        seen.append((answer.get("renew", False), answer["expires_in"]))
    assert seen == [(False, 600), (False, 61), (True, 600), (True, 31)]
