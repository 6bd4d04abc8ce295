"""One identity on two machines: told from one machine that starts again, or was put back, by who goes on speaking.

Each start of an agent is a *run* with a random name, and each signed request says its run and a count. One machine is
in one run at a time: a run that another one followed is over and never speaks again, whether the machine was started
again or its disk was put back to last week. Of two machines both go on, so a run that was followed speaks again: that
is a fork, and nothing else is.

    the newest run, a higher count           fine
    the newest run, a count that came        over: a machine was copied or put back while it ran; it begins another run
    a run that was never heard               fine: a start. It follows the newest one
    a run that was followed, signed then     late: a request that was long on its way counts for nothing. Mail is held
    a run that was followed, signed later    fork; but where its follower never had an answer, that was the late one

"Then" includes the minute by which the time of a signature may be off. A run that had an answer shows it by what it
asks: all but a session follows from one. So the requests of a start that was over before anybody answered it, however
many come late, follow nobody for long; and what one machine sends is never a fork.

Only the latest of the followed runs are remembered. A run that is not known and yet had an answer was forgotten, and is
late until it signs after that moment.
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
    answered: bool = False  # the newest run has asked what only follows from an answer
    followed: tuple[Side, ...] = ()  # newest first
    held_until: int = 0
    forgotten_at: int = 0  # when a followed run was last dropped for newer ones

    def holds(self, now: int) -> bool:
        """Whether mail is held. A moment too far ahead was written by a clock that has been put back since."""
        return now < self.held_until <= now + HOLD


def heard(before: Runs | None, side: Side, *, count: int, signed_at: int, answered: bool) -> tuple[Verdict, Runs]:
    """What a signed request of `side` is, and what is known of the agent's runs after it.

    `side` was heard at its `since` and `last`, which are the same here; `signed_at` is the signature's own time, and
    `answered` whether the request is one that follows from an answer to this run.
    """
    if before is None:
        return Verdict.FINE, Runs(side, count, answered)
    if side.run == before.newest.run:
        if count <= before.count:
            return Verdict.OVER, before
        newest = replace(side, since=before.newest.since)
        return Verdict.FINE, replace(before, newest=newest, count=count, answered=before.answered or answered)
    gone = next((each for each in before.followed if each.run == side.run), None)
    if gone is None and answered and signed_at <= before.forgotten_at + MARGIN:
        return _late(before, side)
    if gone is None:
        return Verdict.FINE, _followed(before, side, count, answered=answered)
    return _spoke_again(before, gone, side, count, signed_at)


def _spoke_again(before: Runs, gone: Side, side: Side, count: int, signed_at: int) -> tuple[Verdict, Runs]:
    """A run that another one followed."""
    if signed_at <= (gone.followed_at or 0) + MARGIN:
        return _late(before, side)
    if before.answered:
        return Verdict.FORK, before
    rest = tuple(each for each in before.followed if each.run != side.run)
    back = replace(side, since=gone.since)
    return Verdict.FINE, _followed(replace(before, followed=rest), back, count, answered=True)


def _late(before: Runs, side: Side) -> tuple[Verdict, Runs]:
    return Verdict.LATE, replace(before, held_until=side.last + HOLD)


def _followed(before: Runs, side: Side, count: int, *, answered: bool) -> Runs:
    """`side` is the newest run. Where the one before never had an answer, those before that are followed only now."""
    now, earlier = side.last, before.followed
    if not before.answered:
        earlier = tuple(replace(each, followed_at=now) for each in earlier)
    over = (replace(before.newest, followed_at=now), *earlier)
    forgotten_at = now if len(over) > KEPT else before.forgotten_at
    return Runs(side, count, answered, over[:KEPT], before.held_until, forgotten_at)
