"""What the package brought along, whole or damaged."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.following import Trust
from agent.trust import Package, PackageError

TOKEN = "A" * 43


def pem(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    for name in ("task", "configuration"):
        (tmp_path / f"keys/{name}.pem").write_bytes(pem(Ed25519PrivateKey.generate()))
    return tmp_path


@pytest.mark.parametrize("content", [f"{TOKEN}\n", f"{TOKEN}\r\n", TOKEN])
def test_the_token_is_read_whatever_ends_its_line(folder: Path, content: str) -> None:
    (folder / "token").write_text(content, newline="")
    assert Package.load(folder).token() == TOKEN


def test_a_token_that_was_taken_away_is_none(folder: Path) -> None:
    assert Package.load(folder).token() is None
    (folder / "token").write_text("\n")
    assert Package.load(folder).token() is None


@pytest.mark.parametrize("content", [b"Canary", b"Canary " + b"A" * 40, b"Canary\xff" * 9])
def test_a_damaged_token_is_not_shown(folder: Path, content: bytes) -> None:
    (folder / "token").write_bytes(content)
    with pytest.raises(PackageError, match="is damaged") as raised:
        Package.load(folder).token()
    assert "Canary" not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("content", [b"", b"no key", pem(X25519PrivateKey.generate())])
@pytest.mark.parametrize("name", ["task", "configuration"])
def test_a_key_that_is_none_is_refused(folder: Path, name: str, content: bytes) -> None:
    (folder / f"keys/{name}.pem").write_bytes(content)
    with pytest.raises(PackageError, match=rf"{name}\.pem"):
        Package.load(folder)


def test_a_trust_file_without_a_certificate_is_refused(folder: Path) -> None:
    (folder / "trust.pem").write_text("nothing")
    with pytest.raises(PackageError, match=r"trust\.pem holds no certificate"):
        Trust(Package.load(folder), folder / "state").tls(None)
