"""The step between password and code: what a browser carries so that nobody types the password twice.

A ticket names the person and the revision of their user, is good for five minutes, and is signed with a key that is
derived from the gateways' session secret. Nothing is kept for it. It signs nobody in: the code still has to be right,
and wrong codes are counted by person. A password that was changed meanwhile is another revision, and ends it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple

LIFETIME = 5 * 60 * 1_000
_MAC_BYTES = 32


class Holder(NamedTuple):
    """Whose password was right, and the revision of their user at that moment."""

    user: str
    rev: int


class Tickets:
    """Makes and reads tickets; `clock` in Unix milliseconds."""

    def __init__(self, session_secrets: tuple[bytes, ...], clock: Callable[[], int]) -> None:
        self._keys = [hmac.digest(each, b"keyturn/sign-in-step/1", hashlib.sha256) for each in session_secrets]
        self._clock = clock

    def make(self, holder: Holder) -> str:
        """A ticket of now."""
        text = f"{holder.user}.{holder.rev}.{self._clock() + LIFETIME}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self._keys[0], text, hashlib.sha256) + text).decode()

    def read(self, ticket: str) -> Holder | None:
        """Whose it is; None where it is none of ours, or past."""
        try:
            raw = base64.urlsafe_b64decode(ticket.encode())
            mac, text = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if not any(hmac.compare_digest(hmac.digest(key, text, hashlib.sha256), mac) for key in self._keys):
                return None
            user, rev, until = text.decode().split(".")
            return Holder(user, int(rev)) if self._clock() < int(until) else None
        except (binascii.Error, ValueError):
            return None
