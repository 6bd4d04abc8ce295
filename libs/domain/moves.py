"""What the agent decides of a generation that it is offered, as pure functions: it has a journal, and no other memory.

above every one it ever knew        begin: journal the intent, set, compare, journal the end
above, but it does not begin now    fence it off first, durably; only then "refused" stays true when the job comes again
begun before, whatever came of it   compare first: live -> applied; not live -> set, where only the intent is journalled
below, or fenced off                not begun: unknown, for an older run of this host may have
a comparison's fence                everything below it is stale from now on, and what it asks about is settled
"""

from enum import StrEnum

from libs.domain.state import Generation


class Entry(StrEnum):
    """What the agent's journal says of a generation."""

    INTENT = "intent"
    APPLIED = "applied"
    REFUSED = "refused"


class Move(StrEnum):
    APPLY = "apply"
    RESUME = "resume"  # a predecessor began: compare first, then go on or report
    REPORT_AGAIN = "report_again"
    STALE = "stale"


class Look(StrEnum):
    """What follows from comparing again what was begun before."""

    APPLIED = "applied"
    SET = "set"
    NOT_LIVE = "not_live"
    UNKNOWN = "unknown"


def decide(mark: Generation, journal: tuple[Generation, Entry] | None, offered: Generation) -> Move:
    """What the agent does with an offered generation.

    `mark` is the highest one that it ever knew, by a reset or by a fence.
    """
    if offered < mark:
        return Move.STALE
    if offered > mark:
        return Move.APPLY
    if journal is None or journal[0] != offered:
        return Move.STALE  # fenced off
    return Move.RESUME if journal[1] is Entry.INTENT else Move.REPORT_AGAIN


def fenced(mark: Generation, fence: Generation) -> Generation:
    """The mark once `fence` is known; durable before anything is compared, and before a refusal to begin is told."""
    return max(mark, fence)


def looked_again(move: Move, *, opens: bool | None, in_time: bool) -> Look:
    """What follows from a comparison of a generation that was begun before. `opens` is None where it cannot be told."""
    if opens is None:
        return Look.UNKNOWN
    if opens:
        return Look.APPLIED
    return Look.SET if move is Move.RESUME and in_time else Look.NOT_LIVE


def not_live(*, as_before: bool) -> Entry | None:
    """A generation that is compared not live: refused where the field is as it was before the intent, else unknown."""
    return Entry.REFUSED if as_before else None


def settled(journal: tuple[Generation, Entry] | None, live: Generation | None) -> tuple[Generation, Entry] | None:
    """The journal once a comparison has told which generation is live: an intent that never ended has, by this."""
    if journal is None or journal[1] is not Entry.INTENT:
        return journal
    return journal[0], Entry.APPLIED if journal[0] == live else Entry.REFUSED
