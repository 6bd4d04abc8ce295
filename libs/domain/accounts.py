"""A login on a resource: who it is on its host, and its rotation."""

from dataclasses import dataclass

from libs.domain.state import Ended, Rotation
from libs.wire.observations import Kind


@dataclass(frozen=True, slots=True)
class Account:
    """The account document: the truth about one account, and the lock on it (one compare-and-set by `rev`)."""

    id: str
    resource: str
    name: str
    uid: int
    gid: int
    shell: str
    kinds: tuple[Kind, ...]
    seen_at: int  # the last observation that showed it
    vanished_at: int | None  # the first one since then that did not
    rotation: Rotation
    ended: tuple[Ended, ...]  # requests that ended and are not yet written to their task documents
    due_at: int | None  # when the sweeper has to look at it next; None: nothing to wait for
    rev: int
