"""Codes of a second factor: six digits of each half minute (RFC 6238), and recovery codes for a lost phone.

The secret has 160 bits. It is kept sealed by AES-256-GCM to a key that is derived from the gateways' session secret,
with the person's identifier bound in, so what the store has opens for no gateway of another installation and for no
other person. While that secret is rolled over both of it open; the next code that is right seals it to the new one.
"""

import base64
import hashlib
import secrets
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from libs.wire.ids import Entropy
from libs.wire.secret import Secret

PERIOD_SECONDS = 30
DIGITS = 6
RECOVERY_CODES = 10
_SECRET_BYTES, _NONCE_BYTES, _RECOVERY_BYTES = 20, 12, 10
_EITHER_SIDE = 1
"""So many periods before and after count: phones' clocks are a little off, and people type slowly."""


class Opened(NamedTuple):
    """A secret, and whether it is sealed to the key that is in use."""

    secret: bytes
    current: bool


class FactorKeys:
    """Seals the secrets of second factors to keys that are derived from the session secrets, the first in use."""

    def __init__(self, session_secrets: tuple[bytes, ...], entropy: Entropy = secrets.token_bytes) -> None:
        self._keys = tuple(AESGCM(_derived(each)) for each in session_secrets)
        self._entropy = entropy

    def new(self) -> bytes:
        """A fresh secret."""
        return self._entropy(_SECRET_BYTES)

    def seal(self, secret: bytes, user: str) -> bytes:
        """What is kept of a person's secret."""
        nonce = self._entropy(_NONCE_BYTES)
        return nonce + self._keys[0].encrypt(nonce, secret, user.encode())

    def open(self, sealed: bytes, user: str) -> Opened | None:
        """The secret; None where no key of this gateway opens it."""
        for n, key in enumerate(self._keys):
            try:
                return Opened(key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], user.encode()), n == 0)
            except InvalidTag:
                continue
        return None


def _derived(session_secret: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"keyturn/second-factor/1").derive(session_secret)


def shown(secret: bytes) -> str:
    """The secret as people type it into an app: base32."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, user: str) -> str:
    """What an app reads from a QR code."""
    return _totp(secret).get_provisioning_uri(user, "Keyturn")


def code_at(secret: bytes, now: int) -> str:
    """The code at a moment, in Unix milliseconds."""
    return _totp(secret).generate(now // 1000).decode()


def period(secret: bytes, code: str, now: int, after: int) -> int | None:
    """The period whose code this is, of those that count now and come after `after`; None where it is none of theirs.

    Each is compared in constant time, and all of them are.
    """
    here, found = now // 1000 // PERIOD_SECONDS, None
    for each in range(here - _EITHER_SIDE, here + _EITHER_SIDE + 1):
        try:
            _totp(secret).verify(code.encode(), each * PERIOD_SECONDS)
        except InvalidToken:
            continue
        if each > after:
            found = each
    return found


def _totp(secret: bytes) -> TOTP:
    # SHA-1 is what every app has. HMAC with it is sound, and a code lives for a minute.
    return TOTP(secret, DIGITS, SHA1(), PERIOD_SECONDS)  # noqa: S303 - the reason stands above


def new_recovery(entropy: Entropy) -> tuple[str, ...]:
    """Fresh recovery codes: 80 random bits each, in four groups."""
    codes = (base64.b32encode(entropy(_RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES))
    return tuple("-".join(each[n : n + 4] for n in range(0, 16, 4)) for each in codes)


def kept(recovery: str) -> str:
    """What is kept of a recovery code, however it was typed: so many random bits need no slow hash."""
    return hashlib.sha256("".join(recovery.lower().split()).replace("-", "").encode()).hexdigest()


def text_of(code: Secret) -> str:
    """A code as it counts: blanks between digits are none of it."""
    return "".join(code.reveal().decode("utf-8", "replace").split())
