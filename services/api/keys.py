"""The keys that the gateway reads at its start: its own, and the public ones of the others."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.pki.check import Authorities
from libs.vault.seal import VaultKeys
from services.api.agent_door.tokens import load_secrets
from services.api.signing import load_request_key


@dataclass(frozen=True)
class Keys:
    """What the gateway holds, and whom it trusts: from files alone, never from the store."""

    request: Ed25519PrivateKey = field(repr=False)
    session_secrets: tuple[bytes, ...] = field(repr=False)
    vault: VaultKeys
    authorities: Authorities

    @classmethod
    def load(cls, private: Path, public: Path) -> Self:
        """From the gateway's private folder and the folder of public keys.

        Raises:
            OSError: a file cannot be read.
            ValueError: a file holds something else.
            NotTrustedError: an authority's file holds no authority.
        """
        return cls(
            request=load_request_key(private / "request.key"),
            session_secrets=load_secrets(private / "session.secret"),
            vault=VaultKeys.load(public),
            authorities=Authorities.load(public),
        )
