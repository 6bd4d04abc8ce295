"""Opening the vault: the one place with its private keys. The scheduler imports it, and the operator's recovery."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.vault.seal import at_rest, typed
from libs.wire.key_files import sealing_privates
from libs.wire.seal import KeyId, Sealed, key_id, open_sealed
from libs.wire.secret import Secret


@dataclass(frozen=True)
class Opener:
    """Opens what was sealed to one of these private keys: the vault's, past and present, or a recovery key."""

    private: X25519PrivateKey
    others: tuple[X25519PrivateKey, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self:
        """The X25519 private keys in a PEM file, in any order.

        Raises:
            ValueError: the file holds another kind of key.
        """
        try:
            first, *others = sealing_privates(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        return cls(first, tuple(others))

    def has(self, key: KeyId) -> bool:
        """Whether what is sealed to this key opens here."""
        return any(key_id(each.public_key()) == key for each in (self.private, *self.others))

    def typed(self, sealed: Sealed, account: str, task: str) -> Secret:
        """The password that a person typed for this task.

        Raises:
            CannotOpenError: sealed for another task or account, or damaged.
        """
        return open_sealed(sealed, typed(account, task), self._key(sealed))

    def at_rest(self, sealed: Sealed, account: str, generation: str) -> Secret:
        """A version of the vault.

        Raises:
            CannotOpenError: sealed for another account or generation, or damaged.
        """
        return open_sealed(sealed, at_rest(account, generation), self._key(sealed))

    def _key(self, sealed: Sealed) -> X25519PrivateKey:
        """The one that a copy is sealed to; the first where there is none, which then says so."""
        recipients = {each.recipient for each in sealed.boxes}
        mine = (each for each in (self.private, *self.others) if key_id(each.public_key()) in recipients)
        return next(mine, self.private)
