"""How fast one person may ask of the interface: a bucket each, so that a program that runs wild takes from nobody else.

A bucket holds a minute's worth of requests and fills evenly. Each answer to a person tells what is left, in the fields
of the IETF's draft `ratelimit-headers`; a request that finds it empty is refused and costs nothing. Buckets are this
gateway's own and in memory: they are for fairness, and guessing is slowed down elsewhere (`sessions.slowdown`).
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from services.api.errors import SlowDownError

WINDOW = 60
"""Seconds in which an empty bucket is full again."""

_KEEP = 10_000
"""People who are remembered. Who asks again after so many others begins with a full bucket."""


class TooFastError(SlowDownError):
    """More requests than one person may send."""

    code: ClassVar[str] = "too_many_requests"

    def __init__(self, most: int, seconds: int) -> None:
        super().__init__(seconds, f"One person may send {most} requests a minute. Wait {seconds} s, then go on.")


@dataclass(frozen=True, slots=True)
class Left:
    """What a person may still send; `reset`: seconds until it is `most` again."""

    most: int
    requests: int
    reset: int

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """As an answer tells it."""
        return [
            (b"ratelimit-policy", f'"requests";q={self.most};w={WINDOW}'.encode()),
            (b"ratelimit", f'"requests";r={self.requests};t={self.reset}'.encode()),
        ]


class Pace:
    """The buckets; `most` requests a minute each. `clock` in Unix milliseconds."""

    def __init__(self, most: int, clock: Callable[[], int]) -> None:
        self._most, self._clock = most, clock
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, person: str) -> Left:
        """Counts one request, and tells what is left.

        Raises:
            TooFastError: nothing was.
        """
        now = self._clock()
        held, at = self._buckets.pop(person, (float(self._most), now))
        # A clock that went back fills nothing, and takes nothing away.
        held = min(self._most, held + max(0, now - at) * self._most / (WINDOW * 1_000))
        enough = held >= 1
        self._buckets[person] = (held - enough, now)
        while len(self._buckets) > _KEEP:
            self._buckets.popitem(last=False)
        if not enough:
            # The setting is sixty at least, so another request is there within a second.
            raise TooFastError(self._most, 1)
        left = int(held - 1)
        return Left(self._most, left, -(-(self._most - left) * WINDOW // self._most))
