"""Roll-overs in the folder of keys: phases, ways back, and a step that was interrupted at any write."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from deploy.admin import files, layout
from deploy.admin.check import check
from deploy.admin.errors import AdminError
from deploy.admin.init import init
from deploy.admin.keys import public_pem
from deploy.admin.kinds import FILES, Kind
from deploy.admin.notices import newest, publish, read_notices
from deploy.admin.own_authority import distrust_authority, trust_authority
from deploy.admin.roll_command import take
from deploy.admin.rolls import Phase, Roll, Step
from libs.pki.check import AgentAuthorities
from libs.pki.issue import Authority, Use, make_authority
from libs.wire.key_files import blocks
from libs.wire.notice import Notice, read_notice, signers_of
from services.api.agent_door.tokens import SessionTokens, load_secrets

NOW = 1_764_044_000_000
WHOLE = (Step.ANNOUNCE, Step.USE, Step.RETIRE)
TOLD = (Kind.TASKS, Kind.CONFIGURATION, Kind.SERVERS, Kind.VAULT)  # of which agents are told by notices
PAIRS = (*TOLD, Kind.AGENTS, Kind.SESSION)
AFTER = {Step.ANNOUNCE: Phase.ANNOUNCED, Step.USE: Phase.IN_USE, Step.RETIRE: Phase.RETIRED}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    init(tmp_path / "keys", tmp_path / "recovery.key", None, now=NOW)
    return tmp_path / "keys"


@pytest.fixture(params=PAIRS)
def roll(request: pytest.FixtureRequest, keys: Path) -> Roll:
    return Roll(keys, FILES[request.param])


def shown(roll: Roll) -> bytes:
    return (roll.folder / roll.files.shown).read_bytes()


def well(keys: Path) -> bool:
    """Whether the folder is as it should be, but for the release that these tests have none of."""
    return [each for each in check(keys) if "release.pem" not in each] == []


def test_forth_and_to_the_end(roll: Roll) -> None:
    first, steady = shown(roll), (Phase.STEADY, roll.phase)
    assert steady == (Phase.STEADY, Phase.STEADY)
    for step in WHOLE:
        take(roll, step)
        assert roll.phase is AFTER[step]
        assert well(roll.folder)
    second = shown(roll)
    assert second not in (b"", first)
    take(roll, Step.END)
    assert (roll.phase, shown(roll)) == (Phase.STEADY, second)
    if roll.files.held is not None:
        held = (roll.folder / roll.files.held).read_bytes()
        assert held.count(b"BEGIN PRIVATE KEY") == 1
    assert well(roll.folder)
    assert not (roll.folder / roll.files.record).exists()
    take(roll, Step.ANNOUNCE)  # and another one
    assert roll.phase is Phase.ANNOUNCED


@pytest.mark.parametrize("far", range(1, 4))
def test_back_from_each_phase(roll: Roll, far: int) -> None:
    first = shown(roll)
    for step in WHOLE[:far]:
        take(roll, step)
    if far > 1:
        take(roll, Step.BACK)
        assert roll.phase is Phase.ANNOUNCED
        assert shown(roll).startswith(first)
    take(roll, Step.BACK)
    assert (roll.phase, shown(roll)) == (Phase.STEADY, first)
    assert well(roll.folder)
    assert not (roll.folder / roll.files.record).exists()


def test_a_step_that_does_not_follow(roll: Roll) -> None:
    for step in (Step.USE, Step.RETIRE, Step.END, Step.BACK):
        with pytest.raises(AdminError, match="announce would"):
            take(roll, step)
    take(roll, Step.ANNOUNCE)
    with pytest.raises(AdminError, match="use or back would"):
        take(roll, Step.RETIRE)


def chain(keys: Path) -> list[Notice]:
    """The notices, each of which an agent that follows the one before takes."""
    signed = read_notices(keys)
    read = [Notice.model_validate_json(each.payload) for each in signed]
    for before, after in itertools.pairwise(range(len(read))):
        assert read_notice(signed[after], signers_of(read[before])) == read[after]
        assert read[after].serial > read[before].serial
    return read


def test_agents_can_follow_every_way(roll: Roll) -> None:
    steps = (*WHOLE, Step.BACK, Step.BACK, *WHOLE, Step.END, Step.ANNOUNCE, Step.USE, Step.BACK, Step.BACK)
    for step in steps:
        take(roll, step)
    if roll.files.kind not in TOLD:
        assert chain(roll.folder) == []
        return
    field = {
        Kind.TASKS: "task_keys",
        Kind.CONFIGURATION: "configuration_keys",
        Kind.SERVERS: "server_authorities",
        Kind.VAULT: "vault_keys",
    }[roll.files.kind]
    assert [len(getattr(each, field)) for each in chain(roll.folder)] == [2, 1, 2, 1, 2, 1, 2, 1]


def test_two_kinds_at_once(keys: Path) -> None:
    rolls = [Roll(keys, FILES[kind]) for kind in PAIRS]
    for step in WHOLE:
        for each in rolls:
            take(each, step)
    assert len(chain(keys)) == 2 * len(TOLD)
    assert well(keys)


def test_a_server_authority_is_not_retired_under_a_gateway_that_uses_it(keys: Path) -> None:
    roll = Roll(keys, FILES[Kind.SERVERS])
    old = Authority.load(keys / "bundler/server-ca.key", keys / "public/server-ca.pem")
    (keys / "gateway/tls.pem").write_bytes(old.certificate.public_bytes(Encoding.PEM))
    take(roll, Step.ANNOUNCE)
    take(roll, Step.USE)
    with pytest.raises(AdminError, match="restart the bundler, then the gateways"):
        take(roll, Step.RETIRE)
    assert roll.phase is Phase.IN_USE
    new = Authority.load(keys / "bundler/server-ca.key", keys / "public/server-ca.pem")
    assert new.certificate != old.certificate
    (keys / "gateway/tls.pem").write_bytes(new.certificate.public_bytes(Encoding.PEM))
    take(roll, Step.RETIRE)


def test_a_retired_agent_authority_is_kept_for_renewals(keys: Path) -> None:
    roll, retired = Roll(keys, FILES[Kind.AGENTS]), keys / "public/agent-ca-retired.pem"
    first = shown(roll)
    for step in (*WHOLE, Step.BACK):
        assert not retired.exists() or step is Step.BACK
        take(roll, step)
        if step is Step.RETIRE:
            assert retired.read_bytes() == first
    assert not retired.exists()
    for step in (Step.USE, Step.RETIRE, Step.END):
        take(roll, step)
    second = shown(roll)
    for step in WHOLE:
        take(roll, step)
    assert retired.read_bytes() == first + second
    assert len(AgentAuthorities.load(keys / "public").retired) == 2


def test_gateways_know_tokens_of_both_session_secrets_and_make_them_by_the_one_in_use(keys: Path) -> None:
    roll, file = Roll(keys, FILES[Kind.SESSION]), keys / "gateway/session.secret"
    (old,) = load_secrets(file)
    take(roll, Step.ANNOUNCE)
    assert load_secrets(file)[0] == old
    token = SessionTokens(load_secrets(file)).make("agt_a", 0)
    take(roll, Step.USE)
    after = SessionTokens(load_secrets(file))
    assert (after.agent(token, 1), after.make("agt_a", 0) != token) == ("agt_a", True)
    take(roll, Step.RETIRE)
    assert SessionTokens(load_secrets(file)).agent(token, 1) is None
    assert (file.stat().st_mode & 0o777, (keys / roll.files.record).stat().st_mode & 0o777) == (0o600, 0o600)


def test_a_release_key_is_brought_and_rolled_over(keys: Path) -> None:
    roll, release = Roll(keys, FILES[Kind.RELEASE]), keys / "public/release.pem"
    pems = [public_pem(Ed25519PrivateKey.generate().public_key()) for _ in range(2)]
    with pytest.raises(AdminError, match=r"release\.pem cannot be read"):
        take(roll, Step.ANNOUNCE, pems[1])
    release.write_bytes(pems[0])
    with pytest.raises(AdminError, match="--release PEM"):
        take(roll, Step.ANNOUNCE)
    with pytest.raises(AdminError, match="holds this key already"):
        take(roll, Step.ANNOUNCE, pems[0])
    seen = []
    for step in (Step.ANNOUNCE, Step.USE, Step.BACK, Step.USE, Step.RETIRE, Step.BACK, Step.BACK):
        take(roll, step, pems[1])
        seen.append([pems.index(each) for each in blocks(release.read_bytes())])
    assert seen == [[0, 1], [1, 0], [0, 1], [1, 0], [1], [0, 1], [0]]
    assert [len(each.release_keys) for each in chain(keys)] == [2, 1, 2, 1]
    assert check(keys) == ()


def test_the_authority_of_an_operators_own_certificate(keys: Path, tmp_path: Path) -> None:
    file = tmp_path / "corporate.pem"
    with pytest.raises(AdminError, match="is not there"):
        trust_authority(keys, file, now=NOW)
    file.write_text("no certificate")
    with pytest.raises(AdminError, match="holds no certificate"):
        trust_authority(keys, file, now=NOW)
    corporate = make_authority(Use.SERVERS, now=NOW).certificate
    file.write_bytes(corporate.public_bytes(Encoding.PEM))
    assert trust_authority(keys, file, now=NOW) == NOW // 1000
    assert trust_authority(keys, file, now=NOW) is None
    (told,) = chain(keys)
    assert corporate.public_bytes(Encoding.DER) in told.server_authorities
    assert len(told.server_authorities) == 2
    assert distrust_authority(keys, file, now=NOW) == NOW // 1000 + 1
    assert len(chain(keys)[-1].server_authorities) == 1
    with pytest.raises(AdminError, match="holds none of"):
        distrust_authority(keys, file, now=NOW)


def test_nothing_new_is_no_notice(keys: Path) -> None:
    assert publish(keys, now=NOW) == NOW // 1000
    assert publish(keys, now=NOW + 5_000) is None


def test_no_serial_comes_twice_from_a_folder_that_was_put_back(keys: Path) -> None:
    """The copy knows nothing of the notices since, and agents took them."""
    publish(keys, now=NOW)
    take(Roll(keys, FILES[Kind.TASKS]), Step.ANNOUNCE)
    found = newest(keys)
    assert found is not None
    assert found.serial > NOW // 1000 + 1
    (keys / layout.PUBLIC / "notices.json").unlink()
    assert publish(keys, now=(found.serial + 3) * 1000) == found.serial + 3


def test_a_notice_that_agents_would_refuse_is_not_made(keys: Path, tmp_path: Path) -> None:
    publish(keys, now=NOW)
    init(tmp_path / "other", tmp_path / "other.key", None, now=NOW)
    for name in ("scheduler/task.key", "public/task.pem"):
        (keys / name).write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(AdminError, match="would not take this one"):
        publish(keys, now=NOW + 5_000)


def test_it_says_which_folder_is_missing(keys: Path) -> None:
    (keys / "bundler/configuration.key").unlink()
    with pytest.raises(
        AdminError, match=r"configuration\.key cannot be read .* needs the scheduler's and the bundler's"
    ):
        publish(keys, now=NOW)


# ---- interrupted


class Interrupted(Exception):  # noqa: N818 - it stands for a kill
    """The command ended here."""


def interruptions(monkeypatch: pytest.MonkeyPatch, n: int) -> Iterator[int]:
    """Each replacement of a file counts; the n-th does not happen, as after a kill."""
    count = itertools.count()
    replace = files.replace

    def counted(path: Path, content: bytes, mode: int) -> None:
        if next(count) == n:
            raise Interrupted
        replace(path, content, mode)

    for module in ("rolls", "notices"):
        monkeypatch.setattr(f"deploy.admin.{module}.replace", counted)
    yield n
    monkeypatch.undo()


STEPS = (*WHOLE, Step.BACK, Step.BACK, *WHOLE, Step.END)


@pytest.mark.parametrize("n", range(4))
@pytest.mark.parametrize("at", range(len(STEPS)))
def test_an_interrupted_step_is_taken_again(roll: Roll, monkeypatch: pytest.MonkeyPatch, at: int, n: int) -> None:
    for step in STEPS[:at]:
        take(roll, step)
    before, again = roll.phase, False
    for _ in interruptions(monkeypatch, n):
        try:
            take(roll, STEPS[at])
        except Interrupted:
            again = True
            assert well(roll.folder)  # services start with what was left
    if again:
        take(roll, STEPS[at])
    assert well(roll.folder)
    back = Phase.STEADY if before is Phase.ANNOUNCED else Phase.ANNOUNCED
    assert roll.phase is {**AFTER, Step.BACK: back, Step.END: Phase.STEADY}[STEPS[at]]
    if roll.files.tells:
        assert publish(roll.folder, now=NOW) is None  # what is shown, agents are told
    chain(roll.folder)
