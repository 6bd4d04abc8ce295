"""Accounts as people see them: what is proven, what may be live, who holds them, and the next step."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from libs.domain.accounts import Account
from libs.domain.state import Flight, Rotation
from libs.domain.versions import may_be_live
from libs.store.accounts import Accounts as StoredAccounts
from libs.store.resources import Resource
from libs.store.tasks import Task, Tasks
from libs.wire.reasons import VERSIONS
from services.api.access import Access, Caller
from services.api.accounts.schemas import AccountBrief, AccountView, FlightView, ProofView, VersionView
from services.api.accounts.words import in_brief, next_step, sentences
from services.api.fields import Page, Ref, from_cursor, page_of


class Accounts:
    """Reads accounts for people. `clock` in Unix milliseconds."""

    def __init__(self, accounts: StoredAccounts, tasks: Tasks, access: Access, clock: Callable[[], int]) -> None:
        self._accounts, self._tasks, self._access, self._clock = accounts, tasks, access, clock

    async def one(self, caller: Caller, key: str) -> AccountView:
        """The account, whole.

        Raises:
            NotThereError: it is not there, or on somebody else's resource.
        """
        account, resource = await self._access.account(caller, key)
        tasks = await self._flying([account])
        return AccountView(
            **_brief(account, resource, tasks, self._clock()),
            gid=account.gid,
            shell=account.shell,
            seen_at=account.seen_at,
            vanished_at=account.vanished_at,
            versions=_versions(account.rotation),
            sentences=sentences(account.rotation, self._clock()),
        )

    async def page(self, caller: Caller, resource: str, *, limit: int, cursor: str | None) -> Page[AccountBrief]:
        """A resource's accounts, by name.

        Raises:
            NotThereError: the resource is not there, or somebody else's.
        """
        on = await self._access.resource(caller, resource)
        after = from_cursor(cursor, str)
        found = await self._accounts.of_resource_after(resource, limit=limit + 1, after=after)
        tasks, now = await self._flying(found), self._clock()
        return page_of(
            found,
            limit,
            lambda account: AccountBrief(**_brief(account, on, tasks, now)),
            lambda account: (account.name, account.id),
        )

    async def briefs(self, found: Sequence[tuple[Account, Resource]]) -> list[AccountBrief]:
        """Rows of accounts on resources that the person may see, in the order given."""
        tasks, now = await self._flying(account for account, _ in found), self._clock()
        return [AccountBrief(**_brief(account, on, tasks, now)) for account, on in found]

    async def _flying(self, accounts: Iterable[Account]) -> dict[str, Task]:
        keys = [each.rotation.flight.task for each in accounts if each.rotation.flight is not None]
        return {task.id: task for task in await self._tasks.get_many(keys)} if keys else {}


def _brief(account: Account, resource: Resource, tasks: dict[str, Task], now: int) -> dict[str, Any]:
    r = account.rotation
    return {
        "id": account.id,
        "name": account.name,
        "uid": account.uid,
        "resource": Ref(id=resource.id, name=resource.name),
        "status": r.status,
        "sentence": in_brief(r, now),
        "proof": None
        if r.proof is None
        else ProofView(generation=str(r.proof.generation), at=r.proof.at, kind=r.proof.kind),
        "flight": None if r.flight is None else _flight(r.flight, tasks.get(r.flight.task)),
        "kinds": account.kinds,
        "next_step": next_step(r),
        "candidates": len(may_be_live(r)),
        "rev": account.rev,
    }


def _flight(flight: Flight, task: Task | None) -> FlightView:
    requester = None
    if task is not None and task.requester is not None:
        requester = Ref(id=task.requester.id, name=task.requester.name)
    return FlightView(
        task=flight.task,
        kind=flight.kind,
        phase=flight.phase,
        requester=requester,
        since=flight.requested_at,
        deadline=flight.deadline,
    )


def _versions(r: Rotation) -> tuple[VersionView, ...]:
    live = {each.generation for each in may_be_live(r)}
    return tuple(
        VersionView(
            generation=str(each.generation),
            state=each.state,
            created_at=each.created_at,
            offered_at=each.offered_at,
            proven_at=each.proven_at,
            known=VERSIONS[each.state],
            candidate=each.generation in live,
        )
        for each in r.versions
    )
