"""The bundler reads what `keyturn-server init` made, and names what does not fit."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.admin.init import init
from deploy.admin.keys import public_pem
from deploy.admin.release import trust_release
from libs.service.settings import SettingsError
from services.bundler.keys import Keys, ingredients, release_keys
from tests.unit.bundler.parts import START


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    init(tmp_path / "keys", tmp_path / "recovery.key", None, now=START)
    return tmp_path / "keys"


def test_the_keys_of_a_new_system(folder: Path) -> None:
    found = Keys.load(folder / "bundler", folder / "public")
    assert public_pem(found.gateway) == (folder / "public" / "request.pem").read_bytes()
    assert public_pem(found.configuration.public_key()) == (folder / "public" / "configuration.pem").read_bytes()
    assert found.servers.certificate != found.agents.certificate


def test_a_release_comes_later(folder: Path, tmp_path: Path) -> None:
    assert release_keys(folder / "public") == ()
    with pytest.raises(FileNotFoundError):
        ingredients(folder / "public", lambda: {"installAgent-service.sh": b"#!/bin/sh\n"})
    release = Ed25519PrivateKey.generate().public_key()
    (tmp_path / "release.pem").write_bytes(public_pem(release))
    trust_release(folder, tmp_path / "release.pem")
    assert release_keys(folder / "public") == (release,)
    packed = ingredients(folder / "public", lambda: {"installAgent-service.sh": b"#!/bin/sh\n"})
    assert packed.trust == (folder / "public" / "server-ca.pem").read_bytes()
    assert set(packed.keys) == {
        "task.pem",
        "vault.pem",
        "recovery.pem",
        "release.pem",
        "agent-ca.pem",
        "configuration.pem",
    }
    assert all(b"PRIVATE" not in content for content in packed.keys.values())


@pytest.mark.parametrize("name", ["server-ca.key", "agent-ca.key", "configuration.key"])
def test_a_key_that_is_missing_or_another(folder: Path, name: str) -> None:
    path = folder / "bundler" / name
    path.write_bytes((folder / "scheduler" / "vault.key").read_bytes())
    with pytest.raises(SettingsError, match=name):
        Keys.load(folder / "bundler", folder / "public")
    path.write_bytes(b"no key")
    with pytest.raises(SettingsError, match=name):
        Keys.load(folder / "bundler", folder / "public")
    path.unlink()
    with pytest.raises(SettingsError, match=name):
        Keys.load(folder / "bundler", folder / "public")


def test_the_authorities_may_not_be_exchanged(folder: Path) -> None:
    one, other = folder / "bundler" / "server-ca.key", folder / "bundler" / "agent-ca.key"
    held = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(held)
    with pytest.raises(SettingsError, match="is not the key of"):
        Keys.load(folder / "bundler", folder / "public")
