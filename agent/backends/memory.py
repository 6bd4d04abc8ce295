"""The in-memory twin of a backend: accounts in a dictionary, and switches for what a host can do to a reset."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace

from agent.backends.ports import (
    Bounds,
    Busy,
    Comparison,
    Discovery,
    FoundAccount,
    Opens,
    Reaped,
    SetAnswer,
    SetOutcome,
    Started,
)
from libs.wire.observations import Kind
from libs.wire.reasons import Reason, Remark
from libs.wire.secret import Secret
from libs.wire.settable import why_not_settable


@dataclass(slots=True)
class _Kept:
    account: FoundAccount
    password: Secret | None


class MemoryBackend:
    """Accounts with their plain passwords, for tests of what stands above a backend."""

    def __init__(self, accounts: Iterable[tuple[FoundAccount, Secret | None]] = ()) -> None:
        self._kept = {account.name: _Kept(account, password) for account, password in accounts}
        self._tools: dict[int, int] = {}
        self._next_pid = 1_000
        self.refuse: SetAnswer | None = None
        """Answer every set with this, and change nothing."""
        self.lose_answer = False
        """Change the password, then answer `unknown`."""
        self.in_the_way: Busy | None = None
        """What `settle` answers."""

    async def discover(self, bounds: Bounds, key: bytes | None = None) -> Discovery:
        """See `Backend.discover`."""
        accounts = tuple(
            replace(kept.account, fingerprint=_fingerprint(kept, key) if key is not None else None)
            for kept in self._kept.values()
        )
        return Discovery(accounts[: bounds.accounts], cut=len(accounts) > bounds.accounts)

    async def find(self, name: str, uid: int) -> FoundAccount | None:
        """See `Backend.find`."""
        kept = self._of(name, uid)
        return None if kept is None else kept.account

    async def set(self, name: str, uid: int, secret: Secret, *, unlock: bool, started: Started) -> SetAnswer:
        """See `Backend.set`."""
        kept = self._of(name, uid)
        if rule := why_not_settable(secret):
            return SetAnswer(SetOutcome.REFUSED, Reason.PASSWORD_NOT_SETTABLE, rule)
        if kept is None:
            return SetAnswer(SetOutcome.REFUSED, Reason.NOT_A_LOCAL_ACCOUNT, f"{name} has no line")
        if {Kind.LOCKED, Kind.NO_PASSWORD} <= kept.account.kinds and not unlock:
            return SetAnswer(SetOutcome.REFUSED, Reason.ACCOUNT_LOCKED, f"{name} never had a password")
        self._next_pid += 1
        self._tools[self._next_pid] = self._next_pid
        started(self._next_pid, self._next_pid)
        del self._tools[self._next_pid]
        if self.refuse is not None:
            return self.refuse
        gone = {Kind.NO_PASSWORD, Kind.LOCKED} if unlock else {Kind.NO_PASSWORD}
        kept.account = replace(kept.account, kinds=kept.account.kinds - gone)
        kept.password = secret
        if self.lose_answer:
            return SetAnswer(SetOutcome.UNKNOWN, Reason.TOOL_UNFINISHED, "the tool has not ended")
        return SetAnswer(SetOutcome.DONE, remarks=_remarks(kept.account))

    async def compare(self, name: str, uid: int, secret: Secret) -> Comparison:
        """See `Backend.compare`."""
        kept = self._of(name, uid)
        if kept is None:
            return Comparison(Opens.CANNOT_TELL, Reason.NOT_A_LOCAL_ACCOUNT, f"{name} has no line")
        opens = Opens.OPENS if kept.password == secret else Opens.DOES_NOT_OPEN
        return Comparison(opens, remarks=_remarks(kept.account))

    async def fingerprint(self, name: str, uid: int, key: bytes) -> str | None:
        """See `Backend.fingerprint`."""
        kept = self._of(name, uid)
        return None if kept is None else _fingerprint(kept, key)

    async def reap(self, pid: int, birth: int) -> Reaped:
        """See `Backend.reap`."""
        return Reaped.KILLED if self._tools.get(pid) == birth else Reaped.GONE

    async def settle(self) -> Busy | None:
        """See `Backend.settle`."""
        return self.in_the_way

    def _of(self, name: str, uid: int) -> _Kept | None:
        kept = self._kept.get(name)
        return kept if kept is not None and kept.account.uid == uid else None


def _fingerprint(kept: _Kept, key: bytes) -> str:
    plain = b"" if kept.password is None else kept.password.reveal()
    locked = b"!" if Kind.LOCKED in kept.account.kinds else b""
    return hmac.new(key, f"{kept.account.uid}:".encode() + locked + plain, hashlib.sha256).hexdigest()


def _remarks(account: FoundAccount) -> frozenset[Remark]:
    return frozenset(Remark(kind.value) for kind in account.kinds if kind in {Kind.LOCKED, Kind.EXPIRED})
