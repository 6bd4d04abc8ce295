"""The session token of an agent: good for polls alone, checked without the store.

    v2.<agent>.<expiry, Unix seconds>.<epoch>.<HMAC-SHA256 over all before, base64url>

Every gateway has the secret, current and previous, in a file; so any of them checks any token, and a new secret can be
brought in while tokens of the old one run out. A token of an older epoch is over: the store was put back since it was
made, so every agent has to open a session again and to show its host.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path

LIFETIME_SECONDS = 600
_SKEW_SECONDS = 60
"""By how much the clocks of two gateways may differ. Beyond it a token was made by a clock that was ahead."""

_MIN_SECRET = 32
_REMEMBERED = 20_000


def load_secrets(path: Path) -> tuple[bytes, ...]:
    """The secrets in the file `session.secret`, one a line in hexadecimal, the current one first.

    Raises:
        ValueError: no secret in it, or one of less than 32 bytes.
    """
    secrets = tuple(bytes.fromhex(line) for line in path.read_text(encoding="ascii").split())
    if not secrets or any(len(each) < _MIN_SECRET for each in secrets):
        raise ValueError(f"{path}: a secret of at least {_MIN_SECRET} bytes in hexadecimal is required")
    return secrets


def _mac(secret: bytes, text: str) -> str:
    return urlsafe_b64encode(hmac.digest(secret, text.encode(), hashlib.sha256)).decode().rstrip("=")


class SessionTokens:
    """Makes and checks tokens. The first secret is the current one."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)
        self._epoch = 0
        self._good: dict[str, tuple[str, int, int]] = {}

    def begin(self, epoch: int) -> None:
        """Tokens of an older epoch are over from now on."""
        self._epoch = max(self._epoch, epoch)

    def make(self, agent: str, now: int) -> str:
        """A token of `agent` for ten minutes from `now`, Unix milliseconds."""
        text = f"v2.{agent}.{now // 1000 + LIFETIME_SECONDS}.{self._epoch}"
        return f"{text}.{_mac(self._secrets[0], text)}"

    def agent(self, token: str, now: int) -> str | None:
        """Whose token it is; None when it is not ours, its time is over, or it ends later than any token of now can.

        A token that was found good once is remembered, because an agent shows the same one with each poll.
        """
        good = self._good.get(token) or self._checked(token)
        if good is None:
            return None
        agent, expiry, epoch = good
        in_time = 0 < expiry - now // 1000 <= LIFETIME_SECONDS + _SKEW_SECONDS
        return agent if in_time and epoch >= self._epoch else None

    def _checked(self, token: str) -> tuple[str, int, int] | None:
        text, _, mac = token.rpartition(".")
        if not token.isascii() or not any(hmac.compare_digest(_mac(each, text), mac) for each in self._secrets):
            return None
        _, agent, expiry, epoch = text.split(".")
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[token] = agent, int(expiry), int(epoch)
        return self._good[token]
