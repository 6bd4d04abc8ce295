"""How long things may take, in milliseconds, and when an account has to be looked at again."""

from libs.domain.state import Phase, Rotation, Status

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

TASK = DAY
"""A reset or a verify ends when no agent took it for a day."""

LEASE = 120 * SECOND
"""From the fetch to "no answer came": the account is uncertain then."""

OFFERED_BY = 15 * SECOND
"""A queued request whose job is not in the mailbox by then was interrupted; the sweeper puts it there."""

RECHECK = MINUTE
"""An uncertain account whose comparison ended without an answer is asked about again after this time."""

EPISODE = 365 * DAY
"""A comparison that an uncertain account waits for stays in its agent's mailbox: the host may be off for months."""


def due_at(r: Rotation, now: int) -> int | None:
    """The moment at which the sweeper has to look at the account, or None when nothing is to be waited for."""
    if r.flight is not None:
        if r.flight.phase is Phase.OFFERED and r.flight.lease_until is not None:
            return r.flight.lease_until
        return min(r.flight.deadline, now + OFFERED_BY)
    if r.status is Status.UNCERTAIN:
        return now + RECHECK
    return None
