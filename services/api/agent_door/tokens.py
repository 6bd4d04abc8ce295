"""The session token of an agent: good for polls alone, checked without the store.

    v1.<agent>.<expiry, Unix seconds>.<HMAC-SHA256 over all before, base64url>
    v2.<agent>.<expiry>.<serial of the newest notice>[.<era>].<HMAC>

A token from before the newest notice is over, and so is one of another era, which is what the gateway trusts of agents'
authorities: the agent opens another session, which tells it to follow or to renew. Every gateway has the secret,
current and previous, in a file; so any of them checks any token, and a new secret can be brought in while tokens of the
old one run out.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

LIFETIME_SECONDS = 600
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
    """Makes and checks tokens. The first secret is the current one; `newest` is the newest notice's serial."""

    def __init__(self, secrets: Sequence[bytes], newest: Callable[[], int] = lambda: 0, era: str = "") -> None:
        self._secrets, self._newest, self._era = tuple(secrets), newest, era
        self._good: dict[str, tuple[str, int, int]] = {}

    def make(self, agent: str, now: int) -> str:
        """A token of `agent` for ten minutes from `now`, Unix milliseconds."""
        expiry, notice = now // 1000 + LIFETIME_SECONDS, self._newest()
        text = f"v1.{agent}.{expiry}"
        if notice or self._era:
            text = f"v2.{agent}.{expiry}.{notice}" + (f".{self._era}" if self._era else "")
        return f"{text}.{_mac(self._secrets[0], text)}"

    def agent(self, token: str, now: int) -> str | None:
        """Whose token it is; None when it is not ours or its time is over.

        A token that was found good once is remembered, because an agent shows the same one with each poll.
        """
        good = self._good.get(token) or self._checked(token)
        return good[0] if good is not None and now // 1000 < good[1] and good[2] >= self._newest() else None

    def _checked(self, token: str) -> tuple[str, int, int] | None:
        text, _, mac = token.rpartition(".")
        if not token.isascii() or not any(hmac.compare_digest(_mac(each, text), mac) for each in self._secrets):
            return None
        _, agent, expiry, *more = text.split(".")
        notice, era = more[:1], more[1:]
        if "".join(era) != self._era:
            return None
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[token] = agent, int(expiry), int(notice[0]) if notice else 0
        return self._good[token]
