"""Opening the vault: the one place with its private key. Only the scheduler imports it, and the operator's recovery."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from libs.vault.seal import at_rest, typed
from libs.wire.seal import Sealed, open_sealed
from libs.wire.secret import Secret


@dataclass(frozen=True)
class Opener:
    """Opens what was sealed to one private key: the vault's, or the recovery key."""

    private: X25519PrivateKey

    @classmethod
    def load(cls, path: Path) -> Self:
        """The X25519 private key in a PEM file.

        Raises:
            ValueError: the file holds another kind of key.
        """
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, X25519PrivateKey):
            raise ValueError(f"{path}: an X25519 private key is required")  # noqa: TRY004 - the file's value is wrong
        return cls(key)

    def typed(self, sealed: Sealed, account: str, task: str) -> Secret:
        """The password that a person typed for this task.

        Raises:
            CannotOpenError: sealed for another task or account, or damaged.
        """
        return open_sealed(sealed, typed(account, task), self.private)

    def at_rest(self, sealed: Sealed, account: str, generation: str) -> Secret:
        """A version of the vault.

        Raises:
            CannotOpenError: sealed for another account or generation, or damaged.
        """
        return open_sealed(sealed, at_rest(account, generation), self.private)
