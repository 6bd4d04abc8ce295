"""How long to wait before the next try: longer each time, and never the same for two who wait for one thing."""

import math
import random
from collections.abc import Callable

FIRST_S = 0.2
CEILING_S = 5.0


class Backoff:
    """Seconds to wait. Each try doubles the range up to `ceiling_s`; the wait lies between half of it and the whole.

    Args:
        first_s: The range of the first wait.
        ceiling_s: The longest range.
        chance: Gives numbers from 0 up to 1.
    """

    def __init__(
        self,
        first_s: float = FIRST_S,
        ceiling_s: float = CEILING_S,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._first_s = first_s
        self._ceiling_s = ceiling_s
        self._chance = chance
        self._tries = 0

    def next(self) -> float:
        """The next wait, in seconds."""
        # The exponent stops growing, because a float of a thousand doublings is none.
        range_s = min(self._ceiling_s, math.ldexp(self._first_s, min(self._tries, 30)))
        self._tries += 1
        return range_s * (0.5 + 0.5 * self._chance())

    def reset(self) -> None:
        """The next try is a first one again."""
        self._tries = 0
