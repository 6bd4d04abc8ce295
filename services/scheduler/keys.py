"""The scheduler's keys, from its private folder, and the public ones that it trusts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from libs.pki.check import AgentAuthorities
from libs.pki.errors import NotTrustedError
from libs.service.settings import SettingsError
from libs.vault.open import Opener
from libs.vault.seal import VaultKeys
from libs.wire.key_files import signing_in_use
from libs.wire.seal import key_id


@dataclass(frozen=True)
class Keys:
    """What opens the vault, what signs jobs, who can read at rest, whose requests and whose agents count."""

    opener: Opener
    task: Ed25519PrivateKey
    at_rest: VaultKeys
    gateway: Ed25519PublicKey
    agents: AgentAuthorities

    @classmethod
    def load(cls, private: Path, public: Path) -> Self:
        """The keys as `keyturn-server init` lays them out.

        Raises:
            SettingsError: a file is missing, is of another kind, or does not fit its other half.
        """
        try:
            keys = cls(
                opener=Opener.load(private / "vault.key"),
                task=_task_key(private / "task.key", public / "task.pem"),
                at_rest=VaultKeys.load(public),
                gateway=_request_key(public / "request.pem"),
                agents=AgentAuthorities.load(public),
            )
        except OSError as error:
            raise SettingsError(f"{error.filename}: {error.strerror}") from error
        except (ValueError, TypeError, NotTrustedError) as error:
            raise SettingsError(str(error)) from error
        if not keys.opener.has(key_id(keys.at_rest.vault)):
            # A vault sealed to another key could never be opened again.
            raise SettingsError(f"{private / 'vault.key'} does not fit {public / 'vault.pem'}")
        return keys


def _task_key(private: Path, public: Path) -> Ed25519PrivateKey:
    try:
        return signing_in_use(private.read_bytes(), public.read_bytes())
    except ValueError as error:
        raise SettingsError(f"{private} does not fit {public}: {error}") from error


def _request_key(path: Path) -> Ed25519PublicKey:
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError(f"{path}: an Ed25519 public key is required")
    return key
