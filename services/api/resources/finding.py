"""Finds machines among however many a person may see: what needs attention, what is in a state, what is searched for.

A person who sees at most 40 machines has all of them read, with their accounts, and searched in memory. Among more, a
page asks only what an index answers: the beginning of a machine's name, the whole name of an account or an owner, the
accounts in one state. So it costs the same among a hundred machines and among ten thousand.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from libs.domain.state import Status
from libs.store.accounts import Accounts as StoredAccounts
from libs.store.accounts import Standing
from libs.store.ports import After
from libs.store.resources import Resource
from libs.store.resources import Resources as StoredResources
from libs.store.users import Users
from services.api.access import Access, Caller, Rights
from services.api.accounts.schemas import AccountBrief
from services.api.accounts.service import Accounts
from services.api.accounts.words import ATTENTION
from services.api.agents.ailing import Ailing
from services.api.agents.words import is_silent
from services.api.fields import MAX_PAGE, from_cursor, to_cursor
from services.api.resources.schemas import ResourceView
from services.api.resources.service import Resources
from services.api.resources.totals import Count, Counting, Totals

AT_ONCE = 40
"""Machines that are read whole."""

PAGE = 50
FIRST, SILENT = 10, 5
"""How many of the most urgent, and of those whose agents fell silent last, come before the others, among many."""

Seen = Sequence[tuple[Resource, Rights]]
"""Machines, each with what the person may do there."""

_ROUNDS = 10
_BEYOND = "~"
"""Sorts after every identifier: a next page begins after all accounts of a machine."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A row: a resource, its accounts by state, the account that needs a person first, and whether its agent calls."""

    resource: ResourceView
    counts: Counter[Status]
    more: bool  # it has more accounts than were counted
    urgent: AccountBrief | None
    silent: bool

    @property
    def ails(self) -> bool:
        """Whether it needs a person."""
        return self.silent or self.urgent is not None

    @property
    def order(self) -> tuple[int, str]:
        """Most urgent first, a silent agent after the accounts; then by name."""
        place = len(ATTENTION) if self.urgent is None else ATTENTION.index(self.urgent.status)
        return place, self.resource.name


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a page shows."""

    rows: Sequence[Machine]
    totals: Totals  # by state: machines with such an account; among many, accounts
    whole: bool = False  # all that the person may see was read
    following: str | None = None  # the cursor of the next page
    cut: bool = False  # more was found than is shown

    @property
    def urgent(self) -> list[Machine]:
        """What needs attention, most urgent first."""
        return sorted((each for each in self.rows if each.ails), key=lambda each: each.order)

    @property
    def others(self) -> list[Machine]:
        """The rest, in the order in which it was found."""
        return [each for each in self.rows if not each.ails]


class Finder:
    """Finds machines for people."""

    def __init__(
        self,
        resources: StoredResources,
        accounts: StoredAccounts,
        users: Users,
        *,
        access: Access,
        machines: Resources,
        listed: Accounts,
        ailing: Ailing,
        clock: Callable[[], int],
    ) -> None:
        self._resources, self._accounts, self._users, self._ailing = resources, accounts, users, ailing
        self._access, self._machines, self._listed, self._clock = access, machines, listed, clock
        self._counting = Counting(resources, accounts, clock)

    async def find(self, caller: Caller, *, q: str, state: Status | None, cursor: str | None) -> Finding:
        """The machines that `q` finds, with an account in `state`.

        Raises:
            BadCursorError: `cursor` is none that this very question gave.
        """
        text = q.strip()
        newest = await self._machines.newest(caller, limit=AT_ONCE + 1)
        if len(newest) <= AT_ONCE:
            return await self._among_few(await self._access.visible(caller, newest), text, state)
        if text:
            return await self._search(caller, text, state)
        if state is not None:
            return await self._in_state(caller, state, cursor)
        return await self._first(caller, cursor)

    async def _among_few(self, found: Seen, text: str, state: Status | None) -> Finding:
        standings = await self._standings(found)
        rows = await self._rows(found, standings)
        words = {each.id: _words(each, standings[each.id]) for each, _ in found}
        matching = [each for each in rows if text.lower() in words[each.resource.id]]
        shown = [each for each in matching if state is None or each.counts[state]]
        totals = Totals(
            machines=Count(len(rows)),
            ailing=Count(sum(each.ails for each in rows)),
            matching=Count(len(matching)),
            by_state=_machines_by_state(matching),
        )
        return Finding(rows=sorted(shown, key=lambda each: each.resource.name), totals=totals, whole=True)

    async def _search(self, caller: Caller, text: str, state: Status | None) -> Finding:
        limit = PAGE + 1
        spellings = dict.fromkeys((text, text.lower()))
        owner = await self._users.named(text.lower())
        named, called, owned = await asyncio.gather(
            asyncio.gather(*(self._resources.beginning(each, limit=limit) for each in spellings)),
            asyncio.gather(*(self._accounts.called(each, limit=limit) for each in spellings)),
            self._owned(owner.id if owner is not None else None, limit),
        )
        accounts: dict[str, list[str]] = {}
        for each in chain.from_iterable(called):
            accounts.setdefault(each.resource, []).append(each.id)
        ways = (*named, await self._resources.get_many(accounts), owned)
        # In turns, so that no way of finding hides the others.
        found = {each.id: each for turn in zip_longest(*ways) for each in turn if each is not None}
        itself = {each.id for each in chain(*named, owned)}
        seen = [
            (each, rights)
            for each, rights in await self._access.visible(caller, found.values())
            # A machine is found by an account's name where the person may see that very account.
            if each.id in itself or any(rights.on(account) for account in accounts[each.id])
        ]
        rows = await self._rows(seen[:PAGE])
        filled = any(len(each) >= limit for each in (*named, owned)) or any(len(each) >= limit for each in called)
        cut = filled or len(seen) > PAGE
        return Finding(
            rows=[each for each in rows if state is None or each.counts[state]],
            totals=Totals(matching=Count(len(rows), more=cut), by_state=_machines_by_state(rows)),
            cut=cut,
        )

    async def _owned(self, owner: str | None, limit: int) -> list[Resource]:
        if owner is None:
            return []
        return await self._resources.page(now=self._clock(), limit=limit, owner=owner)

    async def _in_state(self, caller: Caller, state: Status, cursor: str | None) -> Finding:
        found, place = await self._with_an_account(caller, state, limit=PAGE, after=from_cursor(cursor, str))
        rows = await self._rows(found)
        following = None if place is None else to_cursor(place)
        return Finding(rows=rows, totals=await self._totals(caller), following=following)

    async def _first(self, caller: Caller, cursor: str | None) -> Finding:
        """What needs attention, then all others, newest first; the pages after the first one go on with those."""
        urgent: dict[str, tuple[Resource, Rights]] = {}
        for status in ATTENTION if cursor is None else ():
            if len(urgent) < FIRST:
                found, _ = await self._with_an_account(caller, status, limit=FIRST)
                urgent |= {each.id: (each, rights) for each, rights in found[: FIRST - len(urgent)]}
        if cursor is None:
            urgent |= {each.id: (each, rights) for each, rights in await self._ailing.silent(caller, limit=SILENT)}
        newest = await self._machines.newest(caller, limit=PAGE + 1, after=from_cursor(cursor, int))
        others = await self._access.visible(caller, (each for each in newest[:PAGE] if each.id not in urgent))
        last = newest[PAGE - 1] if len(newest) > PAGE else None
        return Finding(
            rows=await self._rows((*urgent.values(), *others)),
            totals=await self._totals(caller),
            following=None if last is None else to_cursor((last.created_at, last.id)),
        )

    async def _with_an_account(
        self, caller: Caller, status: Status, *, limit: int, after: After | None = None
    ) -> tuple[Seen, After | None]:
        """Machines that the person may see with an account in a state, and where to go on, if anywhere.

        Somebody who sees few of many machines has to look through those of others; that ends after some rounds.
        """
        found: list[tuple[Resource, Rights]] = []
        for _ in range(_ROUNDS):
            page = await self._accounts.in_state(status, limit=2 * limit, after=after)
            holding: dict[str, list[str]] = {}
            for each in page:
                holding.setdefault(each.resource, []).append(each.id)
            seen = await self._access.visible(caller, await self._resources.get_many(holding))
            found += [
                (each, rights) for each, rights in seen if any(rights.on(account) for account in holding[each.id])
            ]
            if len(found) > limit:
                return found[:limit], (found[limit - 1][0].id, _BEYOND)
            if len(page) < 2 * limit:
                return found, None
            after = (page[-1].resource, _BEYOND)
        return found, after

    async def _totals(self, caller: Caller) -> Totals:
        """Counts of the whole vault, for somebody who sees it."""
        return await self._counting.totals() if caller.sees_all else Totals()

    async def _standings(self, found: Seen) -> dict[str, list[Standing]]:
        """The accounts that the person may see, in short, by the machine's identifier."""
        read = await asyncio.gather(*(self._accounts.standings(each.id, limit=MAX_PAGE + 1) for each, _ in found))
        return {
            each.id: [account for account in accounts if rights.on(account.id)]
            for (each, rights), accounts in zip(found, read, strict=True)
        }

    async def _rows(self, found: Seen, standings: Mapping[str, list[Standing]] | None = None) -> list[Machine]:
        """A row each, in the order given."""
        told = await self._standings(found) if standings is None else standings
        first = [most_urgent(told[each.id]) for each, _ in found]
        read = await self._accounts.get_many(each.id for each in first if each is not None)
        by_id = {each.id: (each, rights) for each, rights in found}
        briefs = await self._listed.briefs([(each, *by_id[each.resource]) for each in read])
        # It is read a moment later, and may need nobody any more.
        urgent = {each.resource.id: each for each in briefs if each.status in ATTENTION}
        return [
            Machine(
                resource=view,
                counts=Counter(each.status for each in told[view.id]),
                more=len(told[view.id]) > MAX_PAGE,
                urgent=urgent.get(view.id),
                silent=is_silent(view.agent, self._clock()),
            )
            for view in await self._machines.rows([each for each, _ in found])
        ]


def most_urgent(standings: Iterable[Standing]) -> Standing | None:
    """The account that a person should look at first, of those that need one."""
    found = [each for each in standings if each.status in ATTENTION]
    return min(found, key=lambda each: ATTENTION.index(each.status), default=None)


def _words(resource: Resource, standings: Iterable[Standing]) -> str:
    return "\n".join((resource.name, resource.owner_name, *(each.name for each in standings))).lower()


def _machines_by_state(rows: Sequence[Machine]) -> dict[Status, Count]:
    return {status: Count(sum(bool(each.counts[status]) for each in rows)) for status in Status}
