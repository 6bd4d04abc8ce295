"""The agents' notices at the gateway: hung up, told, read by anybody; sessions from before a notice end by it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.pki.check import AgentAuthorities
from libs.pki.issue import Use, make_authority
from libs.store.presence import Presences
from libs.wire.agent_api import SessionRequest
from libs.wire.notice import AT_ONCE, Notices, SignedNotice, sign_notice
from libs.wire.observations import digest
from services.api.agent_door.noticeboard import Noticeboard
from services.api.agent_door.tokens import LIFETIME_SECONDS, SessionTokens
from tests.unit.api.world import TestAgent, World
from tests.unit.wire.samples import NOTICE

KEY = Ed25519PrivateKey.generate()


def notice(serial: int) -> SignedNotice:
    return sign_notice(NOTICE.model_copy(update={"serial": serial}), [KEY])


def hang(file: Path, *serials: int) -> None:
    beside = file.with_suffix(".new")
    beside.write_bytes(Notices(notices=tuple(map(notice, serials))).to_bytes())
    beside.replace(file)


def test_a_board_shows_what_follows_a_serial_a_few_at_once(tmp_path: Path) -> None:
    board = Noticeboard(tmp_path / "notices.json")
    assert (board.newest, board.after(0).notices) == (0, ())
    hang(tmp_path / "notices.json", *range(1, 12))
    board.look()
    assert board.newest == 11
    assert [each.serial for each in board.after(0).notices] == list(range(1, 1 + AT_ONCE))
    assert [each.serial for each in board.after(9).notices] == [10, 11]
    assert board.after(11).notices == ()


@pytest.mark.parametrize("content", [b"", b"{", b'{"notices":[1]}'])
def test_a_damaged_file_leaves_what_hangs(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "notices.json"
    hang(file, 1)
    board = Noticeboard(file)
    file.write_bytes(content)
    board.look()
    assert board.newest == 1
    hang(file, 1, 2)
    board.look()
    assert board.newest == 2


def test_a_token_from_before_a_notice_is_over() -> None:
    newest = 0
    tokens = SessionTokens((b"s" * 32,), lambda: newest)
    before = tokens.make("agt_a", 0)
    assert tokens.agent(before, 1) == "agt_a"
    newest = 1_764_044_000
    assert tokens.agent(before, 1) is None
    after = tokens.make("agt_a", 0)
    assert (after.split(".")[0], tokens.agent(after, 1)) == ("v3", "agt_a")
    assert tokens.agent(after, LIFETIME_SECONDS * 1000) is None
    assert tokens.agent(after.replace("1764044000", "1764044009"), 1) is None
    other = SessionTokens((b"s" * 32,))  # a gateway that has not seen the notice yet
    assert other.agent(after, 1) == "agt_a"


def test_a_token_of_another_era_is_over() -> None:
    before, after = SessionTokens((b"s" * 32,)), SessionTokens((b"s" * 32,), era="0123456789abcdef")
    plain, rolled = before.make("agt_a", 0), after.make("agt_a", 0)
    assert (before.agent(plain, 1), after.agent(rolled, 1)) == ("agt_a", "agt_a")
    assert (before.agent(rolled, 1), after.agent(plain, 1)) == (None, None)
    with_notice = SessionTokens((b"s" * 32,), lambda: 7, "0123456789abcdef")
    assert with_notice.agent(rolled, 1) is None
    assert with_notice.agent(with_notice.make("agt_a", 0), 1) == "agt_a"
    assert after.agent(with_notice.make("agt_a", 0), 1) == "agt_a"


def test_each_step_of_a_roll_over_is_an_era() -> None:
    old, new = (make_authority(Use.AGENTS, now=1_764_000_000_000).certificate for _ in range(2))
    assert AgentAuthorities(old).era == ""
    eras = {
        each.era
        for each in (
            AgentAuthorities(old, (new,)),
            AgentAuthorities(new, (old,)),
            AgentAuthorities(new, (), (old,)),
        )
    }
    assert len(eras) == 3


async def test_a_session_tells_and_anybody_reads(world: World) -> None:
    _, agent = await world.machine(await world.user("ben"))
    board = world.gateway.board
    board.file = world.private / "notices.json"
    hang(board.file, 3, 5)
    board.look()

    async def session(agent: TestAgent, follows: int) -> int:
        body = SessionRequest(
            agent=agent.id, agent_version="1.0", boot=1, sequence=0, digest=digest(()), notice=follows
        )
        answer = await agent.post("/agent/v1/session", body)
        presence = await Presences(world.admin).get(agent.id)
        assert presence is not None
        assert presence.notice == follows
        return int(answer.json().get("notice", 0))

    assert [await session(agent, each) for each in (0, 3, 5, 9)] == [5, 5, 0, 0]
    read = await world.client.get("/agent/v1/notices", params={"after": 3})
    assert Notices.model_validate_json(read.content).notices == (notice(5),)
    assert (await world.client.get("/agent/v1/notices", params={"after": -1})).status_code == 422
