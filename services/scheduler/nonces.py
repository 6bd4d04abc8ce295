"""Nonces of flights: 128 bits, never used twice."""

import secrets
from base64 import b32encode
from dataclasses import dataclass

from libs.wire.ids import Entropy


@dataclass(frozen=True)
class Nonces:
    """Draws nonces."""

    entropy: Entropy = secrets.token_bytes

    def fresh(self) -> str:
        """26 characters of lower-case base32."""
        return b32encode(self.entropy(16)).decode().rstrip("=").lower()
