"""Sealing to the vault: the public keys, from files, and the contexts of a password's three places."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from libs.wire.key_files import sealing_publics
from libs.wire.seal import Context, Purpose, Sealed, key_id, seal
from libs.wire.secret import Secret


def typed(account: str, task: str) -> Context:
    """A password that a person typed, on its way to the scheduler: no generation is known yet."""
    return Context(account, task, Purpose.REQUEST)


def at_rest(account: str, generation: str) -> Context:
    """A password version in the vault and in the agent's escrow."""
    return Context(account, generation, Purpose.REST)


def in_flight(account: str, generation: str) -> Context:
    """A password on its way to its agent."""
    return Context(account, generation, Purpose.JOB)


def revealed(account: str, generation: str) -> Context:
    """A password on its way to the person who asked for it."""
    return Context(account, generation, Purpose.REVEAL)


def load_sealing_key(path: Path) -> X25519PublicKey:
    """The X25519 public key in use, which is the first in a PEM file.

    Raises:
        ValueError: the file holds another kind of key.
    """
    try:
        return sealing_publics(path.read_bytes())[0]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


@dataclass(frozen=True)
class VaultKeys:
    """Who can read what is at rest: the vault, and the offline recovery key."""

    vault: X25519PublicKey
    recovery: X25519PublicKey

    @classmethod
    def load(cls, public: Path) -> Self:
        """The keys `vault.pem` and `recovery.pem` of the folder of public keys."""
        return cls(load_sealing_key(public / "vault.pem"), load_sealing_key(public / "recovery.pem"))

    def seal_typed(self, secret: Secret, account: str, task: str) -> Sealed:
        """For the scheduler alone."""
        return seal(secret, typed(account, task), [self.vault])

    def seal_at_rest(self, secret: Secret, account: str, generation: str) -> Sealed:
        """For the vault and the recovery key."""
        return seal(secret, at_rest(account, generation), [self.vault, self.recovery])

    def current(self, sealed: Sealed) -> bool:
        """Whether the vault's key in use opens it."""
        return key_id(self.vault) in {each.recipient for each in sealed.boxes}
