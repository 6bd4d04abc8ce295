"""Accounts as people see them: what is proven, what may be live, who holds them, and the next step."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from libs.domain.accounts import Account
from libs.domain.state import Flight, Rotation
from libs.domain.versions import may_be_live
from libs.store.accounts import Accounts as StoredAccounts
from libs.store.ports import After
from libs.store.resources import Resource
from libs.store.shares import Level
from libs.store.tasks import Task, Tasks
from libs.wire.reasons import VERSIONS
from services.api.access import Access, Caller, Rights
from services.api.accounts.schemas import AccountBrief, AccountView, FlightView, ProofView, VersionView
from services.api.accounts.words import in_brief, next_step, sentences
from services.api.errors import ChangedMeanwhileError, NotThereError
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
        tasks, rights = await self._flying([account]), await self._access.rights(caller, resource)
        return AccountView(
            **_brief(account, resource, tasks, rights, now=self._clock()),
            gid=account.gid,
            shell=account.shell,
            seen_at=account.seen_at,
            vanished_at=account.vanished_at,
            versions=_versions(account.rotation),
            sentences=sentences(account.rotation, self._clock()),
        )

    async def expect(self, caller: Caller, key: str, rev: int | None) -> None:
        """Returns where the account is still at the revision that the caller has read; None: it does not matter.

        Raises:
            NotThereError: it is not there, or on somebody else's resource.
            ChangedMeanwhileError: it has changed.
        """
        if rev is None:
            return
        account, _ = await self._access.account(caller, key)
        if account.rev != rev:
            raise ChangedMeanwhileError("The account changed since you read it. Nothing was done; read it again.")

    async def named(self, caller: Caller, resource: str, name: str) -> str:
        """The identifier of the account that has this name on a resource now.

        Raises:
            NotThereError: the resource is not there, or somebody else's; or it has no such account for this person.
        """
        rights = await self._access.rights(caller, await self._access.resource(caller, resource))
        found = [each for each in await self._accounts.named(resource, name) if rights.on(each.id) is not None]
        if not found:
            raise NotThereError("account")
        return min(found, key=lambda each: (each.vanished_at is not None, -each.seen_at)).id

    async def page(self, caller: Caller, resource: str, *, limit: int, cursor: str | None) -> Page[AccountBrief]:
        """A resource's accounts, by name.

        Raises:
            NotThereError: the resource is not there, or somebody else's.
        """
        on = await self._access.resource(caller, resource)
        after = from_cursor(cursor, str)
        rights = await self._access.rights(caller, on)
        if rights.whole is None:
            found = await self._single(rights.accounts, after)
        else:
            found = await self._accounts.of_resource_after(resource, limit=limit + 1, after=after)
        tasks, now = await self._flying(found), self._clock()
        return page_of(
            found,
            limit,
            lambda account: AccountBrief(**_brief(account, on, tasks, rights, now=now)),
            lambda account: (account.name, account.id),
        )

    async def briefs(self, found: Sequence[tuple[Account, Resource, Rights]]) -> list[AccountBrief]:
        """Rows of accounts that the person may see, in the order given."""
        tasks, now = await self._flying(account for account, _, _ in found), self._clock()
        return [AccountBrief(**_brief(account, on, tasks, rights, now=now)) for account, on, rights in found]

    async def _single(self, keys: Iterable[str], after: After | None) -> list[Account]:
        """Accounts that were shared one by one, by name, behind a place; they are few."""
        found = sorted(await self._accounts.get_many(keys), key=lambda each: (each.name, each.id))
        return [each for each in found if after is None or (each.name, each.id) > after]

    async def _flying(self, accounts: Iterable[Account]) -> dict[str, Task]:
        keys = [each.rotation.flight.task for each in accounts if each.rotation.flight is not None]
        return {task.id: task for task in await self._tasks.get_many(keys)} if keys else {}


def _brief(account: Account, resource: Resource, tasks: dict[str, Task], rights: Rights, *, now: int) -> dict[str, Any]:
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
        "level": rights.on(account.id) or Level.SEE,
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
