"""Failures on demand: at the n-th operation from now, before it took effect or after; lost and doubled messages.

Operations are what a connection sends: publish, notify, call, reply, and each decision about a delivery. A test walks
n through a whole run, so that each of them is once the last that a process got through.
"""

import random
from collections.abc import Callable
from enum import StrEnum

from libs.wire.envelope import Envelope


class Effect(StrEnum):
    """Whether the failing operation still reached the broker."""

    BEFORE = "before"
    AFTER = "after"


class Fate(StrEnum):
    """What becomes of a message that the broker took."""

    DELIVER = "deliver"
    DROP = "drop"
    DOUBLE = "double"
    OVERTAKE = "overtake"


class Faults:
    """The plan of failures of one connection.

    `silent` is a broker whose publishes neither fail nor succeed, though they take effect. `fate` decides about each
    message that this connection sends.
    """

    def __init__(self) -> None:
        self.silent = False
        self.operations = 0
        self.fate: Callable[[Envelope], Fate] = lambda _: Fate.DELIVER
        self._at: dict[int, Effect] = {}

    def fail_at(self, n: int, effect: Effect = Effect.BEFORE) -> None:
        """Fails the n-th operation from now, counting from 1. Several may be planned."""
        self._at[self.operations + n] = effect

    def next(self) -> Effect | None:
        """Counts an operation and tells how it fails, if it does."""
        self.operations += 1
        return self._at.pop(self.operations, None)


def seeded(seed: int, *, drop: float = 0.0, double: float = 0.0, overtake: float = 0.0) -> Callable[[Envelope], Fate]:
    """Fates by chance, the same for the same seed; the probabilities lie between 0 and 1 and their sum does too."""
    chance = random.Random(seed)  # noqa: S311 - a test's chance has to repeat itself

    def fate(_: Envelope) -> Fate:
        drawn = chance.random()
        for limit, what in ((drop, Fate.DROP), (drop + double, Fate.DOUBLE), (drop + double + overtake, Fate.OVERTAKE)):
            if drawn < limit:
                return what
        return Fate.DELIVER

    return fate
