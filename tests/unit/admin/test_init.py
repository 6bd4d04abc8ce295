"""`init` makes a whole system's keys or nothing, whatever stops it, and `check` sees what is wrong with them."""

import errno
import json
import os
import stat
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.admin import layout
from deploy.admin.check import check
from deploy.admin.errors import AdminError
from deploy.admin.files import write
from deploy.admin.init import init
from deploy.admin.keys import public_pem
from deploy.admin.release import trust_release
from libs.broker.topology import password_hash
from libs.pki.check import Authorities
from libs.pki.issue import Authority
from libs.vault.open import Opener
from libs.vault.seal import VaultKeys
from libs.wire.secret import Secret

NOW = 1_800_000_000_000


@pytest.fixture
def release(tmp_path: Path) -> Path:
    path = tmp_path / "release.pem"
    path.write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
    return path


@pytest.fixture
def keys(tmp_path: Path, release: Path) -> Path:
    init(tmp_path / "keys", tmp_path / "recovery.key", release, now=NOW)
    return tmp_path / "keys"


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def test_every_file_of_the_layout_and_no_other(keys: Path) -> None:
    files = {str(path.relative_to(keys)) for path in keys.rglob("*") if path.is_file()}
    private = {f"{folder}/{name}" for folder, names in layout.PRIVATE_FILES.items() for name in names}
    assert files == private | {f"public/{name}" for name in layout.PUBLIC_FILES}
    assert check(keys) == ()


def test_modes_whatever_the_umask(tmp_path: Path, release: Path) -> None:
    for umask in (0o000, 0o077):
        before = os.umask(umask)
        try:
            init(tmp_path / f"keys{umask}", tmp_path / f"recovery{umask}", release, now=NOW)
        finally:
            os.umask(before)
        for name, mode in modes(tmp_path / f"keys{umask}").items():
            public = name.partition("/")[0] == layout.PUBLIC
            wanted = (0o755 if public else 0o700) if "/" not in name else (0o644 if public else 0o600)
            assert mode == wanted, name
        assert stat.S_IMODE((tmp_path / f"recovery{umask}").stat().st_mode) == 0o600


def test_the_keys_work_together(keys: Path, tmp_path: Path) -> None:
    sealed = VaultKeys.load(keys / "public").seal_at_rest(Secret("a password"), "acc", "1.1")
    for private in (keys / "scheduler" / "vault.key", tmp_path / "recovery.key"):
        assert Opener.load(private).at_rest(sealed, "acc", "1.1") == Secret("a password")
    authorities = Authorities.load(keys / "public")
    for name, certificate in (("server", authorities.server), ("agent", authorities.agent)):
        pair = Authority.load(keys / "bundler" / f"{name}-ca.key", keys / "public" / f"{name}-ca.pem")
        assert pair.certificate == certificate


def test_the_brokers_users_have_the_services_passwords(keys: Path) -> None:
    users = json.loads((keys / "broker" / "definitions.json").read_text())["users"]
    assert {user["name"] for user in users} == {*layout.SERVICES, layout.ADMIN}
    for user in users:
        password = (keys / user["name"] / layout.BROKER_PASSWORD).read_text()
        salt = b64decode(user["password_hash"])[:4]
        assert password_hash(password, salt) == user["password_hash"]
        assert password not in (keys / "broker" / "definitions.json").read_text()


def test_no_secret_is_there_twice(keys: Path) -> None:
    contents = [path.read_bytes() for path in keys.rglob("*") if path.is_file()]
    assert len(set(contents)) == len(contents)


def test_nothing_is_overwritten(keys: Path, tmp_path: Path, release: Path) -> None:
    before = {path: path.read_bytes() for path in keys.rglob("*") if path.is_file()}
    for folder, recovery in (
        (keys, tmp_path / "other.key"),
        (tmp_path / "other", tmp_path / "recovery.key"),
        (release, tmp_path / "other.key"),
    ):
        with pytest.raises(AdminError, match="overwrites nothing"):
            init(folder, recovery, release, now=NOW)
    assert {path: path.read_bytes() for path in keys.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "recovery.key", "release.pem"]


def test_the_recovery_key_lies_elsewhere(tmp_path: Path, release: Path) -> None:
    for place in (tmp_path / "keys" / "recovery.key", tmp_path / "missing" / "recovery.key"):
        with pytest.raises(AdminError):
            init(tmp_path / "keys", place, release, now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["release.pem"]


def test_an_empty_folder_is_filled(tmp_path: Path, release: Path) -> None:
    (tmp_path / "keys").mkdir()
    init(tmp_path / "keys", tmp_path / "recovery.key", release, now=NOW)
    assert check(tmp_path / "keys") == ()


def test_a_full_disk_leaves_nothing(tmp_path: Path, release: Path) -> None:
    """Each write in turn is the one that finds no space."""

    class Disk:
        def __init__(self, room: int) -> None:
            self.room = room

        def write(self, path: Path, content: bytes, mode: int) -> None:
            if self.room == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            self.room -= 1
            write(path, content, mode)

    large = Disk(1_000)
    init(tmp_path / "whole", tmp_path / "whole.key", release, now=NOW, write=large.write)
    writes = 1_000 - large.room
    assert writes > 20
    for room in range(writes):
        with pytest.raises(AdminError, match="No space left on device; nothing was made"):
            init(tmp_path / "keys", tmp_path / "recovery.key", release, now=NOW, write=Disk(room).write)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["release.pem", "whole", "whole.key"]


def test_a_folder_that_appears_meanwhile_is_kept(tmp_path: Path, release: Path) -> None:
    def write_beside_another(path: Path, content: bytes, mode: int) -> None:
        (tmp_path / "keys").mkdir(exist_ok=True)
        (tmp_path / "keys" / "theirs").touch()
        write(path, content, mode)

    with pytest.raises(AdminError, match="nothing was made"):
        init(tmp_path / "keys", tmp_path / "recovery.key", release, now=NOW, write=write_beside_another)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["keys", "release.pem", "theirs"]


def test_a_release_that_is_none(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(public_pem(X25519PrivateKey.generate().public_key()))
    for path in (tmp_path / "missing.pem", other, Path(__file__)):
        with pytest.raises(AdminError):
            init(tmp_path / "keys", tmp_path / "recovery.key", path, now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["other.pem"]


def test_a_release_may_be_trusted_later_but_not_replaced(tmp_path: Path, release: Path) -> None:
    keys = tmp_path / "keys"
    init(keys, tmp_path / "recovery.key", None, now=NOW)
    assert [sentence for sentence in check(keys) if "no package can be built" in sentence] == list(check(keys)) != []
    for _ in range(2):
        trust_release(keys, release)
    assert check(keys) == ()
    other = tmp_path / "other.pem"
    other.write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
    with pytest.raises(AdminError, match="another release"):
        trust_release(keys, other)


def test_check_names_what_is_wrong(keys: Path, tmp_path: Path, release: Path) -> None:
    init(tmp_path / "others", tmp_path / "others.key", release, now=NOW)
    (keys / "gateway").chmod(0o750)
    (keys / "scheduler" / "vault.key").chmod(0o640)
    (keys / "bundler" / "agent-ca.key").write_bytes((tmp_path / "others" / "bundler" / "agent-ca.key").read_bytes())
    (keys / "scheduler" / "task.key").write_bytes(b"no key")
    (keys / "public" / "request.pem").unlink()
    (keys / "public" / "release.pem").chmod(0o666)
    said = check(keys)
    for part in (
        "gateway can be read by others: chmod 700",
        "vault.key can be read by others: chmod 600",
        "agent-ca.key is not the key of",
        "task.key: no private key",
        "request.pem is missing",
        "release.pem can be changed by others: chmod 644",
    ):
        assert [sentence for sentence in said if part in sentence], part
    assert len(said) == 6
    assert check(tmp_path) == (f"{tmp_path / 'public'} is missing: this is no folder that init made.",)
