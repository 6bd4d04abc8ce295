"""The bundler's keys, from its private folder, and the public ones that it trusts and passes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from libs.pki.check import AgentAuthorities
from libs.pki.errors import NotTrustedError
from libs.pki.issue import Authority
from libs.service.settings import SettingsError
from libs.wire.key_files import signing_in_use, signing_publics
from libs.wire.notice import Notices
from services.bundler.package import Ingredients

_RELEASE = "release.pem"
_PACKED = ("task.pem", "vault.pem", "recovery.pem", _RELEASE, "agent-ca.pem", "configuration.pem")


@dataclass(frozen=True)
class Keys:
    """Two authorities, whose agent certificates count, the key that signs packages, and the gateway's public key."""

    servers: Authority
    agents: Authority
    known: AgentAuthorities
    configuration: Ed25519PrivateKey
    gateway: Ed25519PublicKey

    @classmethod
    def load(cls, private: Path, public: Path) -> Self:
        """The keys as `keyturn-server init` lays them out.

        Raises:
            SettingsError: a file is missing, is of another kind, or does not fit its other half.
        """
        try:
            return cls(
                servers=Authority.load(private / "server-ca.key", public / "server-ca.pem"),
                agents=Authority.load(private / "agent-ca.key", public / "agent-ca.pem"),
                known=AgentAuthorities.load(public),
                configuration=_private(private / "configuration.key", public / "configuration.pem"),
                gateway=_public(public / "request.pem"),
            )
        except NotTrustedError as error:
            raise SettingsError(str(error)) from error
        except OSError as error:
            raise SettingsError(f"{error.filename}: {error.strerror}") from error


def release_keys(public: Path) -> tuple[Ed25519PublicKey, ...]:
    """The releases' keys; none where no release is trusted yet, and two while one is rolled over.

    Raises:
        SettingsError: the file holds another kind of key.
    """
    path = public / _RELEASE
    try:
        return signing_publics(path.read_bytes())
    except FileNotFoundError:
        return ()
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error


def ingredients(public: Path, installer: Callable[[], Mapping[str, bytes]]) -> Ingredients:
    """What packages carry besides the runtime, as the files are now.

    Raises:
        OSError: a file is missing.
    """
    keys = {name: (public / name).read_bytes() for name in _PACKED}
    notices = public / "notices.json"
    if notices.exists():
        newest = Notices.model_validate_json(notices.read_bytes()).notices[-1]
        keys["notice.json"] = newest.to_bytes() + b"\n"
    own = public / "own-ca.pem"
    trust = (public / "server-ca.pem").read_bytes() + (own.read_bytes() if own.exists() else b"")
    return Ingredients(trust=trust, keys=keys, installer=installer())


def _private(private: Path, public: Path) -> Ed25519PrivateKey:
    try:
        return signing_in_use(private.read_bytes(), public.read_bytes())
    except ValueError as error:
        raise SettingsError(f"{private} does not fit {public}: {error}") from error


def _public(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError as error:
        raise SettingsError(f"{path}: no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError(f"{path}: an Ed25519 public key is required")
    return key
