"""What the agent asks of its host: find local accounts, set a password, compare one.

A backend speaks of names, uids and the host's own words; it knows nothing of jobs, tasks or the network.

The order after a restart: `reap` the tool that the journal names, `settle`, and only then `compare`. A tool that a dead
agent left behind may still be waiting for the lock of the account files and set its password much later; an answer
given before it is gone would be a lie.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from libs.wire.observations import Kind
from libs.wire.reasons import Reason, Remark
from libs.wire.secret import Secret


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a discovery reads before it stops and says that it was cut."""

    accounts: int = 5_000
    skipped: int = 200
    file_bytes: int = 32 * 1024 * 1024
    line_bytes: int = 8_192
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An account with a line of its own in /etc/passwd; a directory's account is never one."""

    name: str
    uid: int
    gid: int
    shell: str
    kinds: frozenset[Kind] = frozenset()
    fingerprint: str | None = None
    """As `Backend.fingerprint` says it; None where nobody asked."""


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A line of the account file, counted from 1, that is no account, and the rule that says so."""

    line: int
    rule: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """The local accounts in the order of the file. `cut` says that there was more than the bounds allow."""

    accounts: tuple[FoundAccount, ...]
    skipped: tuple[SkippedLine, ...] = ()
    cut: bool = False


class SetOutcome(StrEnum):
    """`done`: set and compared live. `refused`: nothing changed. `unknown`: either password may be live."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SetAnswer:
    """What became of a set. `detail` is the host's or the backend's sentence, without the password; 300 letters."""

    outcome: SetOutcome
    reason: Reason | None = None
    detail: str = ""
    remarks: frozenset[Remark] = frozenset()


class Opens(StrEnum):
    """The three answers of a comparison."""

    OPENS = "opens"
    DOES_NOT_OPEN = "does_not_open"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a password is the account's. `reason` and `detail` stand with `cannot_tell` only."""

    opens: Opens
    reason: Reason | None = None
    detail: str = ""
    remarks: frozenset[Remark] = field(default_factory=frozenset)


class Reaped(StrEnum):
    """What became of a tool that a predecessor left: after the first three no such process lives."""

    GONE = "gone"
    ENDED = "ended"
    KILLED = "killed"
    STILL_RUNNING = "still_running"


@dataclass(frozen=True, slots=True)
class Busy:
    """The lock of the account files is held; by which process, where the kernel says so."""

    holder: int | None
    sentence: str


Started = Callable[[int, int], None]
"""Called with the tool's pid and its birth mark when it runs but before it has been given anything: journal it here.

The birth mark is an opaque number below 2**48, of this process in this boot alone, so a pid that was given to another
process later is told apart. An exception from this call kills the tool, and passes through `set`.
"""


class Backend(Protocol):
    """One kind of accounts on one host."""

    async def discover(self, bounds: Bounds, key: bytes | None = None) -> Discovery:
        """The accounts as they are now, with their fingerprints where a key for these is given.

        Raises:
            OSError: the account file cannot be read. A failed discovery is never an empty one.
        """

    async def find(self, name: str, uid: int) -> FoundAccount | None:
        """The account of this name and uid; the same name with another uid is another account."""

    async def set(self, name: str, uid: int, secret: Secret, *, unlock: bool, started: Started) -> SetAnswer:
        """Set the password, compare it, and say what is so now. A locked account stays locked unless `unlock`."""

    async def compare(self, name: str, uid: int, secret: Secret) -> Comparison:
        """Compare with the stored hash; nobody is logged in, so nobody is locked out."""

    async def fingerprint(self, name: str, uid: int, key: bytes) -> str | None:
        """64 hexadecimal digits that change when the password field does; None without such an account, or unread."""

    async def reap(self, pid: int, birth: int) -> Reaped:
        """Await, then kill, the tool that a predecessor started; a process of another birth is left alone."""

    async def settle(self) -> Busy | None:
        """Hold the lock of the account files once; None when nobody else was in the middle of a change."""
