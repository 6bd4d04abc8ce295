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
        self._newest: dict[str, int] = {}
        self._void: set[str] = set()

    def begin(self, epoch: int) -> None:
        """Tokens of an older epoch are over from now on."""
        self._epoch = max(self._epoch, epoch)

    def make(self, agent: str, now: int) -> str:
        """A token of `agent` for ten minutes from `now`, Unix milliseconds."""
        expiry = now // 1000 + LIFETIME_SECONDS
        text, self._newest[agent] = f"v2.{agent}.{expiry}.{self._epoch}", expiry
        self._void.discard(agent)
        return f"{text}.{_mac(self._secrets[0], text)}"

    def void(self, agent: str) -> None:
        """No token of this agent is good at this gateway any more, until it makes another one."""
        self._void.add(agent)

    def agent(self, token: str, now: int) -> str | None:
        """Whose token it is; None when it is not ours, its time is over, it ends later than any token of now can, or
        the agent has a newer one.

        A token that was found good once is remembered, because an agent shows the same one with each poll. One machine
        never goes back to an older token: of two with one identity, the one that does must open a session, and is seen.
        """
        good = self._good.get(token) or self._checked(token)
        if good is None:
            return None
        agent, expiry, epoch = good
        latest = now // 1000 + LIFETIME_SECONDS + _SKEW_SECONDS
        if not now // 1000 < expiry <= latest or epoch < self._epoch or agent in self._void:
            return None
        if expiry < self._newest.get(agent, 0) <= latest:
            return None
        self._newest[agent] = expiry
        return agent

    def _checked(self, token: str) -> tuple[str, int, int] | None:
        text, _, mac = token.rpartition(".")
        if not token.isascii() or not any(hmac.compare_digest(_mac(each, text), mac) for each in self._secrets):
            return None
        _, agent, expiry, epoch = text.split(".")
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[token] = agent, int(expiry), int(epoch)
        return self._good[token]
