"""Renewal at the door: when an agent is told to, and what an expired certificate is still good for."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.broker.topology import QueueName
from libs.pki.issue import Authority, Use, issue_agent, make_authority
from libs.wire.agent_api import FetchRequest, RenewAnswer, RenewRequest, SessionRequest
from libs.wire.identity import agent_csr
from libs.wire.observations import digest
from libs.wire.renewal import renewal
from libs.wire.requests import RenewContent, Renewed
from tests.unit.api.test_resets import revoke
from tests.unit.api.world import TestAgent, World, authorities


@pytest.fixture
async def agent(world: World) -> TestAgent:
    _, agent = await world.machine(await world.user("ben"))
    return agent


def contact(agent: TestAgent) -> SessionRequest:
    return SessionRequest(agent=agent.id, agent_version="1.0", boot=1, sequence=0, digest=digest(()))


def certificate(world: World, agent: TestAgent, authority: Authority) -> bytes:
    """What a bundler with this authority gives."""
    private, sealing = generate_private_key(SECP256R1()), X25519PrivateKey.generate().public_key()
    return issue_agent(agent_csr(private, sealing), agent.id, agent.resource, authority, now=world.clock.now(), days=7)


async def test_a_certificate_of_another_authority_than_the_one_in_use_is_not_given_out(
    world: World, agent: TestAgent
) -> None:
    """The bundler was not restarted in a roll-over: the agent would renew in a circle."""
    pem = certificate(world, agent, make_authority(Use.AGENTS, now=world.clock.now()))
    said = renewal(agent.id, b"a request", agent.private)
    async with world.answering(QueueName.ENROLMENTS, lambda _: Renewed(certificate=pem)):
        answer = await agent.post("/agent/v1/renew", RenewRequest(agent=agent.id, renewal=said))
    assert (answer.status_code, answer.json()["code"]) == (503, "bundler_behind")


async def test_an_expired_certificate_is_good_for_renewing_alone(world: World, agent: TestAgent) -> None:
    world.clock.skip(7 * 86_400 + 1)
    for path, body in (("session", contact(agent)), ("fetch", FetchRequest(agent=agent.id))):
        refused = await agent.post(f"/agent/v1/{path}", body)
        assert (refused.status_code, refused.json()["code"]) == (403, "certificate_expired")
    said = renewal(agent.id, b"a request", agent.private)
    pem = certificate(world, agent, authorities()[1])
    async with world.answering(QueueName.ENROLMENTS, lambda _: Renewed(certificate=pem)) as heard:
        answer = await agent.post("/agent/v1/renew", RenewRequest(agent=agent.id, renewal=said))
    assert RenewAnswer.model_validate_json(answer.content).certificate == pem
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
