"""What an agent trusts: its package, the notices that it took, and nothing that only one hand signed."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.following import NotFollowedError, Trust
from agent.trust import Package, PackageError
from libs.pki.issue import Authority, Use, make_authority
from libs.wire.notice import Move, Notice, Place, SignedNotice, sign_notice

Key = Ed25519PrivateKey
new = Ed25519PrivateKey.generate


def raw(*keys: Key) -> tuple[bytes, ...]:
    return tuple(key.public_key().public_bytes_raw() for key in keys)


@dataclass(frozen=True)
class Server:
    """Who makes notices; a roll-over is another server."""

    tasks: tuple[Key, ...] = field(default_factory=lambda: (new(),))
    configuration: tuple[Key, ...] = field(default_factory=lambda: (new(),))
    authority: Authority = field(default_factory=lambda: make_authority(Use.SERVERS, now=1_764_000_000_000))

    def says(self, serial: int, *, by: tuple[Key, ...] | None = None, **changes: object) -> SignedNotice:
        notice = Notice(
            serial=serial,
            issued_at=0,
            server_authorities=(self.authority.certificate.public_bytes(Encoding.DER),),
            task_keys=raw(*self.tasks),
            configuration_keys=raw(*self.configuration),
            release_keys=(),
            vault_keys=(bytes(32),),
            recovery_keys=(bytes(32),),
        )
        return sign_notice(notice.model_copy(update=changes), by or (*self.tasks, *self.configuration))


def install(folder: Path, server: Server, notice: SignedNotice | None = None) -> Package:
    (folder / "keys").mkdir(exist_ok=True, parents=True)
    for name, keys in (("task", server.tasks), ("configuration", server.configuration)):
        pems = [each.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for each in keys]
        (folder / "keys" / f"{name}.pem").write_bytes(b"".join(pems))
    (folder / "trust.pem").write_bytes(server.authority.certificate.public_bytes(Encoding.PEM))
    if notice is not None:
        (folder / "keys" / "notice.json").write_bytes(notice.to_bytes())
    return Package.load(folder)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def package(tmp_path: Path, server: Server) -> Package:
    return install(tmp_path / "package", server)


def test_a_notice_is_taken_and_kept(package: Package, state: Path, server: Server) -> None:
    trust, rolled = Trust(package, state), replace(server, tasks=(*server.tasks, new()))
    assert trust.serial == 0
    assert trust.follow([rolled.says(5)])
    for each in (trust, Trust(package, state)):
        assert (each.serial, len(each.task_keys)) == (5, 2)
    assert (state / "notice.json").stat().st_mode & 0o777 == 0o600


def test_an_older_one_is_not_taken(package: Package, state: Path, server: Server) -> None:
    trust = Trust(package, state)
    assert trust.follow([server.says(5)])
    assert not trust.follow([replace(server, tasks=(*server.tasks, new())).says(4), server.says(5)])
    assert (trust.serial, len(trust.task_keys)) == (5, 1)


@pytest.mark.parametrize("hand", ["tasks", "configuration"])
def test_one_hand_alone_changes_nothing(package: Package, state: Path, server: Server, hand: str) -> None:
    """Code in the bundler, or in the scheduler, that would have agents obey another server."""
    thief = Server()
    trust = Trust(package, state)
    with pytest.raises(NotFollowedError, match=r"no (task|configuration) key"):
        trust.follow([thief.says(5, by=(*getattr(server, hand), *thief.tasks, *thief.configuration))])
    assert trust.serial == 0
    assert not (state / "notice.json").exists()


def test_months_off_are_a_longer_list(package: Package, state: Path, server: Server) -> None:
    """Both kinds of keys were rolled over meanwhile, so the last notice alone means nothing to this agent."""
    both = Server((*server.tasks, new()), (*server.configuration, new()), server.authority)
    after = Server(both.tasks[1:], both.configuration[1:], server.authority)
    trust = Trust(package, state)
    with pytest.raises(NotFollowedError):
        trust.follow([after.says(7)])
    assert trust.follow([both.says(6), after.says(7)])
    assert (trust.serial, len(trust.task_keys)) == (7, 1)
    assert Trust(package, state).serial == 7


def test_what_was_taken_before_one_that_does_not_count_is_kept(package: Package, state: Path, server: Server) -> None:
    trust = Trust(package, state)
    with pytest.raises(NotFollowedError, match="notice 9"):
        trust.follow([server.says(6), Server().says(9)])
    assert Trust(package, state).serial == 6


def test_a_notice_that_would_cut_every_line_is_not_taken(package: Package, state: Path, server: Server) -> None:
    with pytest.raises(NotFollowedError, match="no certificate"):
        Trust(package, state).follow([server.says(5, server_authorities=(b"\x30\x00",))])
    with pytest.raises(NotFollowedError, match="a key in the notice is none"):
        Trust(package, state).follow([server.says(5, task_keys=(b"short",))])


def test_the_packages_notice_counts_where_it_is_newer(tmp_path: Path, state: Path, server: Server) -> None:
    rolled = replace(server, tasks=(*server.tasks, new()))
    trust = Trust(install(tmp_path / "package", server, rolled.says(5)), state)
    assert (trust.serial, len(trust.task_keys)) == (5, 2)
    assert trust.follow([server.says(6)])
    again = Trust(install(tmp_path / "package", server, rolled.says(5)), state)
    assert (again.serial, len(again.task_keys)) == (6, 1)


def test_a_package_of_another_system_puts_the_old_ones_notice_aside(
    tmp_path: Path, package: Package, state: Path, server: Server
) -> None:
    assert Trust(package, state).follow([server.says(9)])
    other = Server()
    trust = Trust(install(tmp_path / "other", other), state)
    assert (trust.serial, [each.public_bytes_raw() for each in trust.task_keys]) == (0, [*raw(*other.tasks)])
    assert trust.follow([other.says(2)])
    assert Trust(install(tmp_path / "other", other), state).serial == 2


def test_a_package_of_the_same_system_after_a_roll_over_keeps_the_notice(
    tmp_path: Path, package: Package, state: Path, server: Server
) -> None:
    both = replace(server, configuration=(*server.configuration, new()))
    after = replace(server, configuration=both.configuration[1:])
    assert Trust(package, state).follow([both.says(5), after.says(6)])
    assert Trust(install(tmp_path / "new", after), state).serial == 6


def test_a_packages_notice_that_does_not_fit_its_keys_is_a_damaged_package(tmp_path: Path, state: Path) -> None:
    with pytest.raises(PackageError, match="does not fit"):
        Trust(install(tmp_path / "package", Server(), Server().says(5)), state)
    (tmp_path / "package/keys/notice.json").write_text("{")
    with pytest.raises(PackageError, match=r"notice\.json"):
        Trust(Package.load(tmp_path / "package"), state)


@pytest.mark.parametrize("content", [b"", b"{", b'{"roots":[]}', b"\xff" * 9])
def test_a_damaged_state_strands_nobody(package: Package, state: Path, server: Server, content: bytes) -> None:
    assert Trust(package, state).follow([server.says(5)])
    (state / "notice.json").write_bytes(content)
    trust = Trust(package, state)
    assert trust.serial == 0
    assert trust.follow([server.says(5)])


def test_a_disk_that_refuses_leaves_the_trust_as_it_was(package: Package, state: Path, server: Server) -> None:
    def refuses(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    trust = Trust(package, state, refuses)
    with pytest.raises(OSError, match="No space"):
        trust.follow([server.says(5)])
    assert trust.serial == 0


def test_the_line_is_trusted_by_the_notices_authorities_alone(package: Package, state: Path, server: Server) -> None:
    trust, other = Trust(package, state), replace(server, authority=make_authority(Use.SERVERS, now=1_764_000_000_000))
    (before,) = trust.tls(None).get_ca_certs(binary_form=True)
    assert before == server.authority.certificate.public_bytes(Encoding.DER)
    assert trust.follow([other.says(5)])
    (after,) = trust.tls(None).get_ca_certs(binary_form=True)
    assert after == other.authority.certificate.public_bytes(Encoding.DER)
    with_file = trust.tls(package.folder / "trust.pem").get_ca_certs(binary_form=True)
    assert set(with_file) == {before, after}


def test_where_moves_lead(package: Package, state: Path, server: Server) -> None:
    here, there = Place(name="keyturn", port=7272), Place(name="elsewhere", port=443)
    trust = Trust(package, state)
    assert trust.leads(here) == (here,)
    assert trust.follow([server.says(5, moves=(Move(old=here, new=there),))])
    assert trust.leads(here) == (here, there)


def test_programs_count_by_the_release_keys_of_the_newest_notice(tmp_path: Path, server: Server) -> None:
    brought, rolled = new(), new()
    package = install(tmp_path / "package", server)
    trust = Trust(package, tmp_path)

    def names() -> list[bytes]:
        return [each.public_bytes_raw() for each in trust.release_keys]

    assert names() == []  # an older package brought none
    pem = brought.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "package/keys/release.pem").write_bytes(pem)
    assert names() == [*raw(brought)]
    trust.follow([server.says(1)])
    assert names() == [*raw(brought)]  # a notice from before any release was trusted
    trust.follow([server.says(2, release_keys=raw(brought, rolled))])
    trust.follow([server.says(3, release_keys=raw(rolled))])
    assert names() == [*raw(rolled)]
    assert Trust(package, tmp_path).release_keys == trust.release_keys
    trust.follow([server.says(4, release_keys=(b"no key",))])
    assert names() == []
