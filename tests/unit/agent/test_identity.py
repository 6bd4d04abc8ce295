"""The agent's keys: whatever write the agent dies before or after, what is left is an identity that works."""

from pathlib import Path

import pytest

from agent.identity import Enrolled, Identity, IdentityError, write_whole
from libs.wire.ids import Noun, new_id
from libs.wire.seal import key_id

AGENT, RESOURCE = new_id(Noun.AGENT), new_id(Noun.RESOURCE)


class KilledError(BaseException):
    """Nothing of the process runs any more."""


class Dying:
    """Writes, until the n-th write: `torn` dies in it, with the new file aside; else right after it."""

    def __init__(self, n: int, *, torn: bool) -> None:
        self.left, self.torn = n, torn

    def __call__(self, path: Path, data: bytes) -> None:
        self.left -= 1
        if self.left == 0 and self.torn:
            path.with_name(path.name + ".new").write_bytes(data[: len(data) // 2])
            raise KilledError
        write_whole(path, data)
        if self.left == 0:
            raise KilledError


class Server:
    """What a server remembers of an agent: certified keys, and whether the newest was seen in use."""

    def __init__(self, identity: Identity) -> None:
        self.good = [identity.keys.signing.public_key()]
        self.sealed_to = [identity.keys.sealing.public_key()]

    def renews(self, identity: Identity) -> None:
        """One renewal, as `agent.service` does it."""
        if identity.successor is None:
            pair = identity.prepare()
            assert self.takes(identity.keys.signing.public_key())
            if pair.signing.public_key() not in self.good:
                self.good.append(pair.signing.public_key())
                self.sealed_to.append(pair.sealing.public_key())
            identity.certified(b"a certificate")
        successor = identity.successor
        assert successor is not None
        assert successor.signing.public_key() == self.good[-1]
        self.good = self.good[-1:]  # seen in use: older ones are good no more
        identity.renewed(answered=False)

    def takes(self, key: object) -> bool:
        return key in self.good


def enrolled(folder: Path) -> Identity:
    made = Identity(folder)
    made.admit(AGENT, RESOURCE, b"the first certificate")
    made.started()
    return made


def speaks(identity: Identity, server: Server) -> bool:
    """Whether the server takes what this agent signs."""
    pair = identity.successor
    return server.takes(identity.keys.signing.public_key() if pair is None else pair.signing.public_key())


def writes_of_a_renewal(folder: Path) -> int:
    enrolled(folder)
    count = Dying(1_000, torn=False)
    identity = Identity(folder, count)
    Server(identity).renews(identity)
    return 1_000 - count.left


def test_a_renewal_has_five_writes(tmp_path: Path) -> None:
    assert writes_of_a_renewal(tmp_path) == 5


@pytest.mark.parametrize("torn", [True, False], ids=["in it", "after it"])
@pytest.mark.parametrize("n", range(1, 6))
def test_a_kill_at_any_write_leaves_a_working_identity(tmp_path: Path, n: int, *, torn: bool) -> None:
    server = Server(enrolled(tmp_path))
    with pytest.raises(KilledError):
        server.renews(Identity(tmp_path, Dying(n, torn=torn)))
    after = Identity(tmp_path)
    assert speaks(after, server)
    assert all(after.keys.opens(key_id(each)) is not None for each in server.sealed_to)
    server.renews(after)
    again = Identity(tmp_path)
    assert speaks(again, server)
    assert all(again.keys.opens(key_id(each)) is not None for each in server.sealed_to)
    assert again.enrolled == after.enrolled
    assert again.enrolled is not None
    assert (again.enrolled.agent, again.enrolled.next) == (AGENT, None)


def test_a_retired_key_goes_with_the_next_renewal_once_all_mail_was_answered(tmp_path: Path) -> None:
    identity = enrolled(tmp_path)
    first = key_id(identity.keys.sealing.public_key())
    for answered in (True, False, True):
        identity.prepare()
        identity.certified(b"a certificate")
        identity.renewed(answered=answered)
        kept = identity.keys.opens(first)
        assert (kept is None) == (identity.enrolled is not None and 0 not in identity.enrolled.retired)
    assert identity.enrolled == Enrolled(AGENT, RESOURCE, boot=1, pair=3, retired=(2,))
    files = sorted(each.name for each in tmp_path.iterdir())
    assert files == [
        "certificate.3.pem",
        "identity.3.key",
        "identity.json",
        "print.key",
        "sealing.2.key",
        "sealing.3.key",
    ]


def test_every_file_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    identity = enrolled(folder)
    identity.prepare()
    identity.certified(b"a certificate")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o777 for each in folder.iterdir()} == {0o600}


def test_who_holds_the_keys_sees_the_new_ones(tmp_path: Path) -> None:
    identity = enrolled(tmp_path)
    held, before = identity.keys, identity.keys.signing
    pair = identity.prepare()
    assert held.signing is not pair.signing
    assert held.opens(key_id(pair.sealing.public_key())) is not None
    identity.certified(b"a certificate")
    identity.renewed(answered=True)
    assert held.signing.public_key() == pair.signing.public_key() != before.public_key()


def test_a_server_that_lost_the_renewal_is_asked_again_with_the_same_keys(tmp_path: Path) -> None:
    identity = enrolled(tmp_path)
    pair = identity.prepare()
    identity.certified(b"a certificate")
    identity.disowned()
    assert identity.successor is None
    assert identity.prepare().signing.public_key() == pair.signing.public_key()


def test_a_key_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    enrolled(tmp_path)
    (tmp_path / "identity.key").unlink()
    with pytest.raises(IdentityError, match="enrol anew"):
        Identity(tmp_path)
