"""Slowing down who guesses, without locking out whom he guesses at.

Failures are counted by address, and by address and name together; never by name alone, because then anybody could
lock a colleague out by guessing wrong on purpose. A name that is guessed at from many addresses slows nobody down
beyond the cost of argon2id; later work deepens that. Counts are this gateway's own and forget after a quiet quarter of
an hour.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from services.api.errors import SlowDownError

_FORGET = 15 * 60 * 1_000
_FREE_BY_PAIR, _FREE_BY_ADDRESS = 5, 30
_MOST_SECONDS = 60
_KEEP = 10_000


@dataclass
class _Count:
    failures: int
    last: int


class Slowdown:
    """The counts. `clock` in Unix milliseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, ...], _Count] = OrderedDict()

    def check(self, address: str, name: str) -> None:
        """Returns when a try may go on.

        Raises:
            SlowDownError: too many failed; with the seconds to wait.
        """
        now = self._clock()
        waits = [self._wait((address, name), _FREE_BY_PAIR, now), self._wait((address,), _FREE_BY_ADDRESS, now)]
        if max(waits) > 0:
            raise SlowDownError(-(-max(waits) // 1000))

    def failed(self, address: str, name: str) -> None:
        """Counts one failure."""
        self._count((address, name))
        self._count((address,))

    def _count(self, key: tuple[str, ...]) -> None:
        now = self._clock()
        count = self._counts.pop(key, None)
        if count is None or now - count.last > _FORGET:
            count = _Count(0, now)
        count.failures, count.last = count.failures + 1, now
        self._counts[key] = count
        while len(self._counts) > _KEEP:
            self._counts.popitem(last=False)

    def failed_at(self, place: str, name: str) -> None:
        """Counts one failure at a name alone; for what only who knows the name's password comes to."""
        self._count((place, name))

    def succeeded(self, address: str, name: str) -> None:
        """Forgets the failures of this address at this name; those at other names stay."""
        self._counts.pop((address, name), None)

    def _wait(self, key: tuple[str, ...], free: int, now: int) -> int:
        count = self._counts.get(key)
        if count is None or count.failures < free or now - count.last > _FORGET:
            return 0
        seconds = min(_MOST_SECONDS, 1 << min(count.failures - free, 6))
        return max(0, count.last + seconds * 1000 - now)
