"""L1: once the faults end, a fair schedule brings the account to IN_SYNC or DRIFT, truly so, or to a person's turn.

From each state exactly one step is the fair one (`ranks`). Following it must end in a state that has none, and that
state must be at rest. So two things are wrong: a state without a fair step that is not at rest, and a way that goes
round. Both are found on the arrows that the walk has written down, without walking again.
"""

from collections.abc import Sequence

AT_REST = -1


def goes_round(fair: Sequence[int]) -> int | None:
    """A state from which the fair way never ends; `fair` has each state's next one, or AT_REST."""
    seen = bytearray(len(fair))  # 1: on the way that is followed now, 2: known to end
    for start in range(len(fair)):
        way = []
        at = start
        while at != AT_REST and not seen[at]:
            seen[at] = 1
            way.append(at)
            at = fair[at]
        if at != AT_REST and seen[at] == 1:
            return at
        for each in way:
            seen[each] = 2
    return None
