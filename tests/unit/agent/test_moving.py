"""Which place an agent tries, when, and what it says of it."""

import contextlib
import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from agent.config import AgentConfig
from agent.follower import Follower
from agent.following import Trust
from agent.host.status import read_status, sentence
from agent.log import Log
from agent.moving import FIRST_SECONDS, MOST_SECONDS, Moving, place_of
from agent.report import Told
from agent.transport import InTheWayError, NoContactError, NotTrustedError, RefusedError, Transport, TransportError
from libs.wire.agent_api import Problem
from libs.wire.notice import Move, Notices, Place
from tests.unit.agent.test_following import Server, install

OLD, NEW, NEWEST = (Place(name=name, port=7272) for name in ("old", "new", "newest"))
REFUSED = RefusedError(Problem(title="No.", status=403, code="agent_unknown"))


@dataclass
class World:
    """An agent whose server is at some of the places."""

    folder: Path
    answers: set[Place] = field(default_factory=lambda: {OLD})
    error: TransportError = field(default_factory=lambda: NoContactError("nobody answers"))
    tried: list[Place] = field(default_factory=list)
    now: float = 0.0
    server: Server = field(default_factory=Server)

    def __post_init__(self) -> None:
        (self.folder / "state").mkdir()
        self.trust = Trust(install(self.folder / "package", self.server), self.folder / "state")
        wire = httpx.MockTransport(self.notices)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.transport = Transport(server=OLD.name, port=OLD.port, tls=tls, wire=wire)
        self.pending: Notices = Notices(notices=())
        told, log = Told(self.folder / "state", str(OLD), lambda: 0), Log("error")
        self.told = told
        follower = Follower(self.trust, self.transport, None, log)
        self.moving = Moving(OLD, follower, told, log, lambda: self.now)

    def notices(self, request: httpx.Request) -> httpx.Response:
        assert (request.url.path, "authorization" in request.headers) == ("/agent/v1/notices", False)
        return httpx.Response(200, content=self.pending.to_bytes(), headers={"content-type": "application/json"})

    def moves(self, serial: int, *moves: tuple[Place, Place]) -> None:
        told = tuple(Move(old=old, new=new) for old, new in moves)
        assert self.trust.follow([self.server.says(serial, moves=told)])

    async def session(self) -> str:
        place = self.transport.place
        self.tried.append(place)
        if place not in self.answers:
            raise self.error
        return str(place)

    async def reach(self) -> list[Place]:
        """The places that were tried until one answered, or all."""
        self.tried = []
        with contextlib.suppress(TransportError):
            await self.moving.reach(self.session)
        return self.tried

    def says(self) -> str:
        self.told.answered()
        status = read_status(self.folder / "state")
        return sentence(status)[1]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_without_a_move_there_is_one_place(world: World) -> None:
    assert await world.reach() == [OLD]
    assert world.says() == "the agent runs and old:7272 answers it"
    world.answers = set()
    assert await world.reach() == [OLD]


async def test_the_new_place_is_tried_first_and_kept(world: World) -> None:
    await world.reach()
    world.moves(1, (OLD, NEW))
    world.answers = {OLD, NEW}
    assert await world.reach() == [NEW]
    assert await world.reach() == [NEW]
    assert "new:7272 answers it; the server moved from old:7272, which agent.conf names" in world.says()
    assert world.moving.astray == ""


@pytest.mark.parametrize("error", [NoContactError("nobody answers"), InTheWayError("a portal"), REFUSED])
async def test_where_no_session_succeeds_it_goes_back_says_so_and_tries_later_and_later(
    world: World, error: TransportError
) -> None:
    await world.reach()
    world.moves(1, (OLD, NEW))
    world.error = error
    assert await world.reach() == [NEW, OLD]
    assert world.moving.astray.startswith(error.code)
    assert "old:7272 answers it; the server moved to new:7272, where it does not answer" in world.says()
    waited = []
    for _ in range(8):
        began = world.now
        while await world.reach() == [OLD]:
            world.now += 10.0
        waited.append(world.now - began)
    assert (waited[0], waited[1], waited[-1]) == (FIRST_SECONDS, 2 * FIRST_SECONDS, MOST_SECONDS)
    world.answers = {OLD, NEW}
    world.now += MOST_SECONDS
    assert await world.reach() == [NEW]
    assert world.moving.astray == ""


async def test_an_old_server_that_is_gone_strands_nobody(world: World) -> None:
    """The new one did not answer a minute ago, and is to be tried in an hour; now the old one is off."""
    world.moves(1, (OLD, NEW))
    for _ in range(12):
        await world.reach()
        world.now += MOST_SECONDS
    await world.reach()
    world.answers = {NEW}
    assert await world.reach() == [OLD, NEW]
    assert await world.reach() == [NEW]
    world.answers = set()
    assert await world.reach() == [NEW, OLD]
    world.answers = {OLD}
    assert await world.reach() == [NEW, OLD]  # it is at the new one still, by its own last word


async def test_moves_follow_one_another(world: World) -> None:
    world.moves(1, (OLD, NEW))
    world.answers = {NEW}
    assert await world.reach() == [NEW]
    world.moves(2, (OLD, NEW), (NEW, NEWEST))
    assert await world.reach() == [NEWEST, NEW]
    world.answers = {OLD}
    assert await world.reach() == [NEW, NEWEST, OLD]


async def test_a_move_that_is_taken_back(world: World) -> None:
    world.moves(1, (OLD, NEW))
    world.answers = {OLD, NEW}
    assert await world.reach() == [NEW]
    world.moves(2)
    assert await world.reach() == [OLD]
    assert world.says() == "the agent runs and old:7272 answers it"


async def test_a_refusal_tells_more_than_silence(world: World) -> None:
    """Nothing answers at the new place, and the old one says what a person must do."""
    world.moves(1, (OLD, NEW))

    async def attempt() -> str:
        world.tried.append(world.transport.place)
        raise REFUSED if world.transport.place == OLD else NoContactError("nobody answers")

    with pytest.raises(RefusedError):
        await world.moving.reach(attempt)
    assert world.tried == [NEW, OLD]


async def test_a_certificate_that_is_not_trusted_is_explained_by_a_notice(world: World) -> None:
    """The server's authority was rolled over while the agent was off."""
    rolled = replace(world.server, tasks=(*world.server.tasks, *Server().tasks))
    world.pending = Notices(notices=(rolled.says(4),))

    async def attempt() -> str:
        world.tried.append(world.transport.place)
        if world.trust.serial < 4:
            raise NotTrustedError("of no authority that this agent trusts")
        return "reached"

    assert await world.moving.reach(attempt) == "reached"
    assert world.tried == [OLD, OLD]


async def test_a_stranger_explains_nothing(world: World) -> None:
    world.pending = Notices(notices=(Server().says(4),))
    world.error, world.answers = NotTrustedError("of no authority that this agent trusts"), set()
    assert await world.reach() == [OLD]
    assert world.trust.serial == 0


@pytest.mark.parametrize(
    ("name", "spelt"),
    [
        ("keyturn", "keyturn"),
        ("my_host.lan", "my_host.lan"),
        ("10.0.0.9", "10.0.0.9"),
        ("::1", "0000:0000:0000:0000:0000:0000:0000:0001"),
    ],
)
def test_the_place_in_agent_conf(name: str, spelt: str) -> None:
    assert place_of(AgentConfig(server_name=name, user_name="ops")) == Place(name=spelt, port=7272)
