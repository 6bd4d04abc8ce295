"""What an agent tells of its troubles at its next contact, kept with it: a few codes, each with its latest moment."""

from typing import Final

from libs.store.presence import SaidTrouble
from libs.wire.agent_api import SessionRequest

KEPT: Final = 16
KEPT_MS: Final = 30 * 24 * 3_600 * 1_000


def kept(before: tuple[SaidTrouble, ...], body: SessionRequest, now: int) -> tuple[SaidTrouble, ...]:
    """Those of before with what this contact tells, newest first; what is a month old goes.

    The agent tells by its host's clock; where the contact says what that shows, the moments are the server's.
    """
    ahead = 0 if body.clock is None else body.clock - now
    known = {each.code: each for each in before if now - each.last_at < KEPT_MS}
    for each in body.said:
        last = max(0, min(now, each.last_at - ahead))
        first = max(0, min(last, each.first_at - ahead))
        earlier = known.get(each.code)
        known[each.code] = SaidTrouble(
            code=each.code,
            sentence=each.sentence,
            first_at=first if earlier is None else min(first, earlier.first_at),
            last_at=last,
            times=each.times if earlier is None else earlier.times + each.times,
        )
    return tuple(sorted(known.values(), key=lambda each: (-each.last_at, each.code))[:KEPT])
