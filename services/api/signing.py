"""Signing what the gateway asks of scheduler and bundler: they trust these exact bytes and nothing around them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from libs.domain.deadlines import DAY
from libs.wire.ids import Entropy
from libs.wire.requests import Person, Request
from libs.wire.sign import Prefix, Signed, sign

FOR_GOOD = 100 * 365 * DAY
"""The lifetime of what counts however late it is taken: there is no later moment at which it would be wrong."""


def load_request_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 private key in a PEM file.

    Raises:
        ValueError: the file holds another kind of key.
    """
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path}: an Ed25519 private key is required")  # noqa: TRY004 - the file's value is wrong
    return key


@dataclass(frozen=True)
class Signer:
    """Makes and signs requests. `clock` in Unix milliseconds."""

    private: Ed25519PrivateKey
    clock: Callable[[], int]
    entropy: Entropy = secrets.token_bytes

    def request(
        self, content: Any, *, name: str, person: Person | None, lifetime: int, resource: str | None = None
    ) -> tuple[Request, Signed]:
        """The request `name` and its signed bytes; after `lifetime` milliseconds nobody carries it out."""
        now = self.clock()
        request = Request(
            id=name, issued_at=now, deadline=now + lifetime, person=person, resource=resource, content=content
        )
        return request, sign(request.to_bytes(), Prefix.REQUEST, self.private)
