"""Sealing to the vault: the public keys, from files, and the contexts of a password's three places."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from libs.wire.seal import Context, Purpose, Sealed, seal
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
    """The X25519 public key in a PEM file.

    Raises:
        ValueError: the file holds another kind of key.
    """
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, X25519PublicKey):
        raise ValueError(f"{path}: an X25519 public key is required")  # noqa: TRY004 - the file's value is wrong, not a type
    return key


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
