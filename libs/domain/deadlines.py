"""How long things may take, in milliseconds, and when an account has to be looked at again."""

from dataclasses import replace

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


def put_right(r: Rotation, now: int) -> Rotation:
    """The rotation with nothing of its flight in the future: the clock was ahead when it was written, and is put back.

    What was left of the deadline and of the lease when they were written is left of them now. The same `r` where
    nothing lies in the future.
    """
    flight = r.flight
    if flight is None:
        return r
    late, offered = flight.requested_at - now, (flight.offered_at or 0) - now
    if late > 0:
        flight = replace(flight, requested_at=now, deadline=flight.deadline - late)
    if offered > 0 and flight.lease_until is not None:
        flight = replace(flight, offered_at=now, lease_until=flight.lease_until - offered)
    return r if flight is r.flight else replace(r, flight=flight)


def due_at(r: Rotation, now: int) -> int | None:
    """The moment at which the sweeper has to look at the account, or None when nothing is to be waited for."""
    if r.flight is not None:
        if r.flight.phase is Phase.OFFERED and r.flight.lease_until is not None:
            return r.flight.lease_until
        return min(r.flight.deadline, now + OFFERED_BY)
    if r.status is Status.UNCERTAIN:
        return now + RECHECK
    return None
