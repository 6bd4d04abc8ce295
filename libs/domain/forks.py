"""One identity on two machines: told from one machine that starts again, or was put back, by who goes on speaking.

Each start of an agent is a *run* with a random name, and each signed request says its run and a count. One machine is
in one run at a time: a run that another one followed is over and never speaks again, whether the machine was started
again or its disk was put back to last week. Of two machines both go on, so a run that was followed speaks again: that
is a fork, and nothing else is.

    the newest run, a higher count           fine
    the newest run, a count that came        over: a machine was copied or put back while it ran; it begins another run
    a run that was never heard               fine: a start. It follows the newest one
    a run that was followed, signed then     late: a request that was long on its way counts for nothing. Mail is held
    a run that was followed, signed later    fork; but where its follower was heard once only, that was the late one

"Then" includes the minute by which the time of a signature may be off: so what one machine sends is never a fork.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from libs.domain.deadlines import MINUTE

MARGIN = MINUTE
"""By how much the time of a signature that counts may be off (`libs.wire.http_signature`)."""

HOLD = 2 * MARGIN
"""How long mail is held after a followed run spoke: by then it is known whether it goes on."""

KEPT = 8
"""Followed runs that are remembered."""


class Verdict(StrEnum):
    FINE = "fine"
    OVER = "over"
    LATE = "late"
    FORK = "fork"


@dataclass(frozen=True, slots=True)
class Side:
    """One run, as the gateway heard it. Moments are the server's."""

    run: str
    boot: int
    host_name: str
    address: str
    since: int
    last: int
    followed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    """The newest run of an agent, and those that it followed."""

    newest: Side
    count: int
    heard: int = 1  # how many requests of the newest run counted
    followed: tuple[Side, ...] = ()  # newest first
    held_until: int = 0  # mail is held


def heard(before: Runs | None, side: Side, *, count: int, signed_at: int) -> tuple[Verdict, Runs]:
    """What a signed request of `side` is, and what is known of the agent's runs after it.

    `side` was heard at its `since` and `last`, which are the same here; `signed_at` is the signature's own time.
    """
    now = side.last
    if before is None:
        return Verdict.FINE, Runs(side, count)
    if side.run == before.newest.run:
        if count <= before.count:
            return Verdict.OVER, before
        newest = replace(side, since=before.newest.since)
        return Verdict.FINE, replace(before, newest=newest, count=count, heard=before.heard + 1)
    gone = next((each for each in before.followed if each.run == side.run), None)
    if gone is None:
        return Verdict.FINE, _followed(before, side, count, now)
    return _spoke_again(before, gone, side, count, signed_at)


def _spoke_again(before: Runs, gone: Side, side: Side, count: int, signed_at: int) -> tuple[Verdict, Runs]:
    """A run that another one followed."""
    now = side.last
    if signed_at <= (gone.followed_at or 0) + MARGIN:
        return Verdict.LATE, replace(before, held_until=now + HOLD)
    if before.heard > 1:
        return Verdict.FORK, before
    rest = tuple(each for each in before.followed if each.run != side.run)
    back = replace(side, since=gone.since)
    return Verdict.FINE, _followed(replace(before, followed=rest), back, count, now)


def _followed(before: Runs, side: Side, count: int, now: int) -> Runs:
    over = replace(before.newest, followed_at=now)
    return Runs(side, count, followed=(over, *before.followed)[:KEPT], held_until=before.held_until)
