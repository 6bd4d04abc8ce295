"""How often each thing may happen in a setting. Everything that is not counted here may happen without end."""

from dataclasses import dataclass
from enum import IntEnum

Spent = tuple[int, ...]
"""How often each kind has happened, in the order of `Kind`."""


class Kind(IntEnum):
    """What is counted."""

    RESETS = 0
    ADOPTIONS = 1  # a person states the live password, or a wrong one
    CHECKS = 2  # a person asks for a comparison
    CANCELS = 3  # a person's, or a deadline that passes
    KILLS = 4  # the agent is killed, or its tool outlasts its patience
    REFUSALS = 5  # the host refuses, or the agent does not begin
    CHANGES = 6  # somebody else sets another password
    ROLLBACKS = 7  # the host goes back to a snapshot
    RESTORES = 8  # the server comes back from a copy
    REINSTALLS = 9  # the agent is wiped and enrolled again
    CLONES = 10  # one identity is seen on two machines
    DELAYS = 11  # what the host showed arrives later, or is taken up later


NOTHING: Spent = (0,) * len(Kind)


@dataclass(frozen=True)
class Bounds:
    """The most of each kind, from nothing on."""

    resets: int = 0
    adoptions: int = 0
    checks: int = 0
    cancels: int = 0
    kills: int = 0
    refusals: int = 0
    changes: int = 0
    rollbacks: int = 0
    restores: int = 0
    reinstalls: int = 0
    clones: int = 0
    delays: int = 0

    def most(self) -> Spent:
        return tuple(int(getattr(self, kind.name.lower())) for kind in Kind)


def spend(spent: Spent, kind: Kind, most: Spent) -> Spent | None:
    """One more of this kind; None where the setting allows none."""
    if spent[kind] >= most[kind]:
        return None
    return (*spent[:kind], spent[kind] + 1, *spent[kind + 1 :])
