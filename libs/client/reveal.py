"""Opening what the server sealed to a key that this process made for one request, and that nobody else ever has."""

import base64
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.wire.requests import Revealed, RevealedVersion
from libs.wire.seal import Context, Purpose, open_sealed
from libs.wire.secret import Secret


@dataclass(frozen=True)
class Candidate:
    """A password that may be live, and what is known of it."""

    version: RevealedVersion
    password: Secret


@dataclass(frozen=True)
class RevealKey:
    """The key of one request."""

    private: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    @property
    def recipient(self) -> str:
        """The public half, as the request carries it."""
        return base64.b64encode(self.private.public_key().public_bytes_raw()).decode()

    def open(self, answer: Revealed) -> tuple[Candidate, ...]:
        """Every candidate, newest first.

        Raises:
            CannotOpenError: the answer is not sealed to this key.
        """
        return tuple(
            Candidate(
                each,
                open_sealed(each.sealed, Context(answer.account, each.generation, Purpose.REVEAL), self.private),
            )
            for each in answer.versions
        )
