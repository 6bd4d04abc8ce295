"""How many machines there are, and how many accounts are in each state: counted by indexes, at most once a minute."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from libs.domain.state import Status
from libs.store.accounts import Accounts
from libs.store.resources import Resources
from services.api.accounts.words import ATTENTION

MOST = 10_000
_KEPT_MILLIS = 60_000


class Count(NamedTuple):
    """A number that a page shows."""

    number: int
    more: bool = False  # that many, or more

    def __str__(self) -> str:
        return f"{self.number}{'+' * self.more}"


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What was counted; None, or nothing by state, where it was not."""

    machines: Count | None = None
    ailing: Count | None = None  # how many need attention
    matching: Count | None = None  # machines that the search finds, in whatever state
    by_state: Mapping[Status, Count] = field(default_factory=dict)


class Counting:
    """Counts up to 10,000 of each. `clock` in Unix milliseconds."""

    def __init__(self, resources: Resources, accounts: Accounts, clock: Callable[[], int]) -> None:
        self._resources, self._accounts, self._clock = resources, accounts, clock
        self._known: Totals | None = None
        self._at = 0
        self._one_at_a_time = asyncio.Lock()

    async def totals(self) -> Totals:
        """Machines, and accounts by state, as they were within the last minute.

        To count them costs the store more than all the rest of a page.
        """
        async with self._one_at_a_time:
            if self._known is None or not 0 <= self._clock() - self._at < _KEPT_MILLIS:
                by_state = {each: _count(await self._accounts.count_in_state(each, limit=MOST)) for each in Status}
                needing = [by_state[each] for each in ATTENTION]
                machines = _count(await self._resources.count(limit=MOST))
                self._known = Totals(
                    machines=machines,
                    matching=machines,
                    ailing=Count(sum(each.number for each in needing), more=any(each.more for each in needing)),
                    by_state=by_state,
                )
                self._at = self._clock()
            return self._known


def _count(found: int) -> Count:
    return Count(found, more=found >= MOST)
