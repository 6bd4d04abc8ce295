"""The end of an identity: whatever write the agent dies before or after, the next start finishes it, and only once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.app import EX_STUCK, main
from agent.farewell import Farewell, NotRevokedError, RevokedError, read_kept
from agent.following import Trust
from agent.identity import Identity, IdentityError, write_whole
from agent.trust import Package
from libs.wire.revocation import Revocation, revocation
from libs.wire.seal import key_id
from libs.wire.sign import Prefix, Signed, sign
from tests.unit.agent.test_identity import AGENT, RESOURCE, Dying, KilledError

SCHEDULER = Ed25519PrivateKey.generate()
TOKEN = "t" * 32


def statement(**changes: object) -> Signed:
    said = Revocation(agent=AGENT, revoked_at=1_764_044_000_000, reason="stolen")
    return revocation(said.model_copy(update=changes), SCHEDULER)


def made(folder: Path, write: Callable[[Path, bytes], None] = write_whole) -> Farewell:
    """What a start of the agent finds in `folder`."""
    package = folder / "package"
    package.mkdir(exist_ok=True)
    trust = Trust(Package(package, (SCHEDULER.public_key(),), (SCHEDULER.public_key(),)), folder / "state")
    return Farewell(folder / "state", Identity(folder / "state"), trust, write)


def enrolled(folder: Path) -> Farewell:
    found = made(folder)
    (folder / "package" / "token").write_text(TOKEN)
    found.identity.admit(AGENT, RESOURCE, b"a certificate")
    return found


def signing(farewell: Farewell) -> str:
    return key_id(farewell.identity.keys.signing.public_key())


@pytest.mark.parametrize("torn", [True, False])
@pytest.mark.parametrize("n", [1, 2])
def test_killed_at_any_write_it_is_finished_by_the_next_start(tmp_path: Path, n: int, torn: bool) -> None:
    before = enrolled(tmp_path)
    key = signing(before)
    with pytest.raises(KilledError):
        made(tmp_path, Dying(n, torn=torn)).believe(statement())
    after = made(tmp_path)
    if read_kept(tmp_path / "state") is None:
        after.at_start()  # the word was lost with it; the server says it again
        assert signing(after) == key
        after.believe(statement())
    with pytest.raises(RevokedError, match="stolen"):
        after.at_start()
    assert signing(after) != key
    assert made(tmp_path).identity.enrolled is None


def test_keys_that_a_kill_left_in_the_middle_of_a_drop_are_never_used_again(tmp_path: Path) -> None:
    """A kill between two removals leaves half of the old identity, which must not become half of a new one."""
    farewell = enrolled(tmp_path)
    old = {signing(farewell), key_id(farewell.identity.keys.sealing.public_key())}
    with pytest.raises(KilledError):
        made(tmp_path, Dying(1, torn=False)).believe(statement())
    (tmp_path / "state" / "identity.json").unlink()
    after = made(tmp_path)
    with pytest.raises(RevokedError):
        after.at_start()
    assert not old & {signing(after), key_id(after.identity.keys.sealing.public_key())}


def test_the_same_token_lets_nobody_in_another_one_does_with_one_key_through_every_start(tmp_path: Path) -> None:
    enrolled(tmp_path).believe(statement())
    for _ in range(2):
        with pytest.raises(RevokedError):
            made(tmp_path).at_start()
    (tmp_path / "package" / "token").unlink()
    with pytest.raises(RevokedError):
        made(tmp_path).at_start()
    (tmp_path / "package" / "token").write_text("n" * 32)
    asking = [made(tmp_path) for _ in range(2)]
    for each in asking:
        each.at_start()
    assert signing(asking[0]) == signing(asking[1])  # an answer that was lost is asked for again by the same key
    asking[1].identity.admit("agt_" + "b" * 26, RESOURCE, b"another")
    made(tmp_path).at_start()  # killed before it could say so
    assert read_kept(tmp_path / "state") is None


def test_a_pair_of_a_renewal_is_revoked_with_the_other(tmp_path: Path) -> None:
    farewell = enrolled(tmp_path)
    key = key_id(farewell.identity.prepare().signing.public_key())
    with pytest.raises(NotRevokedError):
        farewell.believe(statement(key=key))  # nobody has certified it
    farewell.identity.certified(b"a certificate")
    farewell.believe(statement(key=key))
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == [
        "identity.key",
        "print.key",
        "revoked.json",
        "sealing.key",
    ]


@pytest.mark.parametrize(
    "signed",
    [
        statement(agent="agt_" + "c" * 26),
        statement(key="sha256:" + "0" * 64),
        revocation(Revocation(agent=AGENT, revoked_at=1, reason="x"), Ed25519PrivateKey.generate()),
        sign(Revocation(agent=AGENT, revoked_at=1, reason="x").to_bytes(), Prefix.JOB, SCHEDULER),
        sign(b"{}", Prefix.REVOKED, SCHEDULER),
    ],
)
def test_anything_less_changes_nothing(tmp_path: Path, signed: Signed) -> None:
    farewell = enrolled(tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "state").iterdir()}
    with pytest.raises(NotRevokedError):
        farewell.believe(signed)
    assert {path.name: path.read_bytes() for path in (tmp_path / "state").iterdir()} == before


def test_an_agent_without_an_identity_has_none_to_lose(tmp_path: Path) -> None:
    with pytest.raises(NotRevokedError):
        made(tmp_path).believe(statement())


def test_a_disk_that_refuses_stops_the_agent_and_the_next_start_goes_on(tmp_path: Path) -> None:
    enrolled(tmp_path)

    def full(_: Path, __: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(IdentityError, match="No space left"):
        made(tmp_path, full).believe(statement())
    assert made(tmp_path).identity.enrolled is not None


def test_a_damaged_token_keeps_no_agent_from_starting(tmp_path: Path) -> None:
    farewell = enrolled(tmp_path)
    (tmp_path / "package" / "token").write_text("?")
    farewell.at_start()
    farewell.believe(statement())
    with pytest.raises(RevokedError):
        made(tmp_path).at_start()


def test_status_says_what_happened_and_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled(tmp_path).believe(statement())
    assert main(["status", "--state", str(tmp_path / "state")]) == EX_STUCK
    said = capsys.readouterr().out
    for words in ("agent_revoked", "2025-11-25", "stolen", "ask for a package"):
        assert words in said
