"""How long to wait: after failures longer and longer, at a poll as long as whatever lies between lets it be held."""

import random
from collections.abc import Callable
from dataclasses import dataclass

FIRST_SECONDS = 1.0
CEILING_SECONDS = 60.0
SHORTEST_HOLD = 5.0


@dataclass
class Pace:
    """Waits of one agent. `chance` gives a number in [0, 1)."""

    ceiling: float = CEILING_SECONDS
    chance: Callable[[], float] = random.random
    _failures: int = 0
    _learnt: float | None = None

    def failed(self) -> float:
        """Seconds to wait after another failure: doubled each time up to the ceiling, between half and whole."""
        whole = min(self.ceiling, FIRST_SECONDS * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return whole * (0.5 + self.chance() / 2)

    def answered(self) -> None:
        """The server answered: the next failure is the first again."""
        self._failures = 0

    def hold(self, offered: float) -> float:
        """Seconds that a poll may be held: what the server offers, less where something between cut earlier."""
        return offered if self._learnt is None else min(offered, self._learnt)

    def held(self) -> None:
        """A poll was held to its end: the next one may be a little longer, since a cut can be an accident."""
        if self._learnt is not None:
            self._learnt *= 1.1

    def cut_after(self, seconds: float) -> None:
        """A held poll was cut by something between: the next ones are shorter than that."""
        self._learnt = max(SHORTEST_HOLD, seconds * 0.8)
