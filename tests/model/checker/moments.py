"""Time, folded to the one question that the table asks of it.

The table compares three receipts of an account: `compared_receipt` (the last comparison), `seen.receipt` (the last
contact) and the `receipt` of a step. Every moment is kept for people. So a state keeps nothing of its moments, and of
its receipts nothing but their order, by five places:

    BEFORE < COMPARED < BETWEEN < CONTACT < NOW

The last comparison stands at COMPARED. The last contact stands at CONTACT when it is newer than the comparison, else at
BEFORE. A step happens NOW. An answer that was received before the last contact and is taken up after it happens
BETWEEN; a contact that was received before the last comparison happens BEFORE. The model does not remember which answer
was there when the contact came, and lets each one be: that is more than can happen, and never less. After the step the
order is written down anew.

That is sound because the table computes with no moment: it compares, copies, and takes the places as well as the hours.
Deadlines and leases are not compared by the table at all; the model lets them end at any moment.

One rule holds a moment against an epoch, which is a Unix second: no epoch lies in the future. The places lie behind
the second of every epoch that the model begins.

AHEAD is what a wrong clock of a host may say. The table must never see it; a variant lets it.
"""

from dataclasses import replace

from libs.domain.state import Flight, Rotation, Version
from tests.model.checker.names import FRESH, LIVE

BEFORE, COMPARED, BETWEEN, CONTACT, NOW = range(1_000_001, 1_000_006)
AHEAD = 1_000_000_000


def folded(r: Rotation) -> Rotation:
    """The rotation with nothing left of its moments but their order, and the nonce that was fresh in flight."""
    compared_receipt = AHEAD if r.compared_receipt > NOW else COMPARED
    seen = r.seen
    if seen is not None:
        seen = replace(seen, at=0, receipt=CONTACT if seen.receipt > r.compared_receipt else BEFORE)
    return replace(
        r,
        seen=seen,
        compared_at=0,
        compared_receipt=compared_receipt,
        proof=None if r.proof is None else replace(r.proof, at=0),
        versions=tuple(_timeless(v) for v in r.versions),
        flight=_in_flight(r.flight),
        unanswered=_in_flight(r.unanswered),
    )


def _timeless(version: Version) -> Version:
    offered = None if version.offered_at is None else 0
    proven = None if version.proven_at is None else 0
    return replace(version, created_at=0, offered_at=offered, proven_at=proven)


def _in_flight(flight: Flight | None) -> Flight | None:
    if flight is None:
        return None
    nonce = LIVE if flight.nonce == FRESH else flight.nonce
    return replace(flight, nonce=nonce, requested_at=0, deadline=0, offered_at=None, lease_until=None)
