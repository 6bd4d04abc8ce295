"""The session token of an agent: good for polls alone, checked without the store.

    v2.<agent>.<expiry, Unix seconds>.<epoch>.<HMAC-SHA256 over all before, base64url>
    v3.<agent>.<expiry>.<epoch>.<serial of the newest notice>.<era>.<HMAC>

Every gateway has the secret, current and previous, in a file; so any of them checks any token, and a new secret can be
brought in while tokens of the old one run out. A token of an older epoch is over: the store was put back since it was
made, so every agent has to open a session again and to show its host. So is one from before the newest notice, and one
of another era, which is what the gateway trusts of agents' authorities: the next session tells the agent to follow, or
to renew.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

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


class _Good(NamedTuple):
    """What a token says that was found good."""

    agent: str
    expiry: int  # Unix seconds
    epoch: int
    notice: int


class SessionTokens:
    """Makes and checks tokens. The first secret is the current one; `newest` is the newest notice's serial."""

    def __init__(self, secrets: Sequence[bytes], newest: Callable[[], int] = lambda: 0, era: str = "") -> None:
        self._secrets, self._newest, self._era = tuple(secrets), newest, era
        self._epoch = 0
        self._good: dict[str, _Good] = {}
        self._latest: dict[str, int] = {}
        self._void: set[str] = set()

    @property
    def epoch(self) -> int:
        """The newest epoch that this gateway knows of; 0 before it has read any."""
        return self._epoch

    def begin(self, epoch: int) -> bool:
        """Tokens of an older epoch are over from now on; whether this gateway may have believed any till now."""
        before, self._epoch = self._epoch, max(self._epoch, epoch)
        return 0 < before < epoch

    def make(self, agent: str, now: int) -> str:
        """A token of `agent` for ten minutes from `now`, Unix milliseconds."""
        expiry, notice = now // 1000 + LIFETIME_SECONDS, self._newest()
        text = f"{agent}.{expiry}.{self._epoch}"
        text = f"v3.{text}.{notice}.{self._era}" if notice or self._era else f"v2.{text}"
        self._latest[agent] = expiry
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
        latest = now // 1000 + LIFETIME_SECONDS + _SKEW_SECONDS
        if not now // 1000 < good.expiry <= latest or good.epoch < self._epoch or good.notice < self._newest():
            return None
        if good.agent in self._void or good.expiry < self._latest.get(good.agent, 0) <= latest:
            return None
        self._latest[good.agent] = good.expiry
        return good.agent

    def _checked(self, token: str) -> _Good | None:
        text, _, mac = token.rpartition(".")
        if not token.isascii() or not any(hmac.compare_digest(_mac(each, text), mac) for each in self._secrets):
            return None
        _, agent, expiry, epoch, *more = text.split(".")
        notice, era = more or ("0", "")
        if era != self._era:
            return None
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[token] = _Good(agent, int(expiry), int(epoch), int(notice))
        return self._good[token]
