"""A newer program is offered to older agents, brought in pieces, and what an agent says of it is shown."""

import hashlib

import pytest

from libs.store.presence import Presences
from libs.store.runtimes import CHUNK_BYTES, Runtimes
from libs.store.users import Role
from libs.wire.agent_api import PIECE_BYTES, RuntimeAnswer, RuntimeRequest, SessionAnswer, SessionRequest, UpgradeNews
from libs.wire.release import ReleaseStatement
from libs.wire.requests import Platform
from libs.wire.sign import Prefix, Signed, sign
from tests.unit.api.world import NOW, TestAgent, World
from tests.unit.wire.samples import SIGNER

RAW = bytes(range(256)) * 4_300
NAME = hashlib.sha256(RAW).hexdigest()


def statement(release: str = "0.2.0", expires_at: int = NOW + 3_600_000) -> Signed:
    said = ReleaseStatement(
        platform=Platform.LINUX,
        release=release,
        machine="x86_64",
        libc="glibc 2.31",
        size=len(RAW),
        sha256=NAME,
        issued_at=NOW,
        expires_at=expires_at,
    )
    return sign(said.to_bytes(), Prefix.STATEMENT, SIGNER)


@pytest.fixture
async def agent(world: World) -> TestAgent:
    _, agent = await world.machine(await world.user("ben"))
    return agent


async def publish(world: World, signed: Signed | None) -> None:
    await Runtimes(world.admin).publish(RAW, Platform.LINUX, "0.2.0", 10, now=world.clock.now(), statement=signed)


async def session(
    world: World, agent: TestAgent, version: str = "0.1.0", news: UpgradeNews | None = None
) -> SessionAnswer:
    """A contact, some time after the one before."""
    await world.clock.advance(6)
    body = SessionRequest(agent=agent.id, agent_version=version, boot=1, sequence=0, digest="0" * 64, upgrade=news)
    answer = await agent.post("/agent/v1/session", body)
    assert answer.status_code == 200, answer.text
    return SessionAnswer.model_validate_json(answer.content)


@pytest.mark.parametrize(
    ("version", "signed", "offered"),
    [
        ("0.1.0", statement(), True),
        ("0.1.99", statement("0.2.0"), True),
        ("0.10.0", statement("0.9.0"), False),
        ("0.2.0", statement(), False),
        ("0.3.0", statement(), False),
        ("0.1.0", statement(expires_at=NOW + 1), False),
        ("0.1.0", None, False),
        ("0.1.0", sign(b"{}", Prefix.STATEMENT, SIGNER), False),
        ("test", statement(), False),
    ],
)
async def test_what_is_newer_and_can_still_be_taken_is_offered(
    world: World, agent: TestAgent, version: str, signed: Signed | None, offered: bool
) -> None:
    assert (await session(world, agent, version)).upgrade is None
    await publish(world, signed)
    assert (await session(world, agent, version)).upgrade == (signed if offered else None)


async def test_what_was_withdrawn_is_offered_no_more_until_it_is_added_again(world: World, agent: TestAgent) -> None:
    runtimes = Runtimes(world.admin)
    await publish(world, None)
    await publish(world, statement())
    (found,) = await runtimes.all()
    await runtimes.withdraw(found, now=world.clock.now())
    assert (await session(world, agent)).upgrade is None
    assert await runtimes.newest(Platform.LINUX) is None
    assert (
        await agent.post("/agent/v1/runtime", RuntimeRequest(agent=agent.id, runtime=NAME, offset=0))
    ).status_code == 404
    await publish(world, None)
    assert (await session(world, agent)).upgrade == statement()


async def test_the_pieces_are_the_whole(world: World, agent: TestAgent) -> None:
    await publish(world, statement())
    got = b""
    while True:
        answer = await agent.post("/agent/v1/runtime", RuntimeRequest(agent=agent.id, runtime=NAME, offset=len(got)))
        assert answer.status_code == 200, answer.text
        piece = RuntimeAnswer.model_validate_json(answer.content).piece
        got += piece
        if len(piece) < PIECE_BYTES:
            break
    assert got == RAW
    assert CHUNK_BYTES % PIECE_BYTES == 0
    beyond = RuntimeRequest(agent=agent.id, runtime=NAME, offset=PIECE_BYTES * 1_000)
    assert RuntimeAnswer.model_validate_json((await agent.post("/agent/v1/runtime", beyond)).content).piece == b""


async def test_only_agents_read_it_and_only_what_there_is(world: World, agent: TestAgent) -> None:
    request = RuntimeRequest(agent=agent.id, runtime=NAME, offset=0)
    assert (await world.client.post("/agent/v1/runtime", json=request.model_dump())).json()[
        "code"
    ] == "signature_missing"
    missing = await agent.post("/agent/v1/runtime", request)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_there")
    await publish(world, statement())
    await world.admin.collection("trust.chunks").delete(f"{NAME}:00000")
    damaged = await agent.post("/agent/v1/runtime", request)
    assert (damaged.status_code, damaged.json()["code"]) == (503, "runtime_damaged")


async def test_what_an_agent_says_of_a_release_is_shown_until_it_says_no_more(world: World, agent: TestAgent) -> None:
    await world.user("root", Role.ADMINISTRATOR)
    person = await world.signed_in("root")
    news = UpgradeNews(release="0.2.0", code="upgrade_went_back", detail="0.1.0 goes on")
    await session(world, agent, news=news)
    (shown,) = (await world.client.get("/v1/agents", headers=person)).json()["items"]
    assert shown["upgrade"]["code"] == "upgrade_went_back"
    assert "put back" in shown["upgrade"]["happened"]
    await session(world, agent, news=UpgradeNews(release="9.0.0", code="upgrade_of_the_future"))
    (shown,) = (await world.client.get("/v1/agents", headers=person)).json()["items"]
    assert shown["upgrade"]["next"] == "Update the server."
    await session(world, agent)
    (shown,) = (await world.client.get("/v1/agents", headers=person)).json()["items"]
    assert shown["upgrade"] is None
    presence = await Presences(world.admin).get(agent.id)
    assert presence is not None
    assert presence.upgrade is None
