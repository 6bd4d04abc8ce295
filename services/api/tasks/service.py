"""Tasks as people see them: the scheduler's projection, and before there is one, the request on the desk."""

from collections.abc import Callable, Collection

from libs.store.accounts import Accounts
from libs.store.requests import RequestDocument, Requests
from libs.store.resources import Resources
from libs.store.tasks import Tasks as StoredTasks
from libs.store.tasks import TaskState as StoredState
from libs.wire.requests import Person, Request, TaskContent
from services.api.access import Access, Caller
from services.api.errors import InvalidError, NotThereError
from services.api.fields import Page, from_cursor, to_cursor
from services.api.tasks.schemas import TaskState, TaskView
from services.api.tasks.views import of_request, of_task

_DESK = 200


class Tasks:
    """Reads tasks for people. `clock` in Unix milliseconds."""

    def __init__(
        self,
        tasks: StoredTasks,
        requests: Requests,
        resources: Resources,
        accounts: Accounts,
        *,
        access: Access,
        clock: Callable[[], int],
    ) -> None:
        self._tasks, self._requests = tasks, requests
        self._resources, self._accounts = resources, accounts
        self._access, self._clock = access, clock

    async def one(self, caller: Caller, key: str) -> TaskView:
        """The task.

        Raises:
            NotThereError: it is not there, or neither asked by this person nor on a resource of theirs.
        """
        task = await self._tasks.get(key)
        if task is not None:
            await self._check(caller, task.requester, task.account)
            return of_task(task, self._clock())
        request = await self._requests.get(key)
        if request is None:
            raise NotThereError("task")
        return await self._requested(caller, request)

    async def page(
        self,
        caller: Caller,
        *,
        mine: bool,
        account: str | None,
        state: TaskState | None,
        limit: int,
        cursor: str | None,
    ) -> Page[TaskView]:
        """Newest first; the first page also shows what is on the desk.

        Raises:
            InvalidError: everybody's tasks, asked for by who does not see every machine.
            NotThereError: of an account that is not this person's.
        """
        if account is not None:
            await self._access.account(caller, account)
        elif not mine and not caller.sees_all:
            raise InvalidError(
                "mine", "With mine=false give an account of yours; only who sees every machine sees all."
            )
        place = from_cursor(cursor, int)
        views = (
            []
            if place or state not in (None, TaskState.REQUESTED)
            else await self._desk(caller, mine=mine, account=account)
        )
        if state is TaskState.REQUESTED:
            return Page(items=tuple(views[:limit]))
        found = await self._tasks.page(
            now=self._clock(),
            limit=limit + 1,
            after=place,
            requester=caller.id if mine else None,
            account=account,
            state=None if state is None else StoredState(state.value),
        )
        kept = found[:limit]
        projected = {each.id for each in kept}
        following = to_cursor((kept[-1].created_at, kept[-1].id)) if len(found) > limit else None
        desk = [each for each in views if each.id not in projected]
        return Page(items=(*desk, *(of_task(each, self._clock()) for each in kept)), next=following)

    async def waiting(self, caller: Caller) -> list[TaskView]:
        """What this person asked for and nobody took yet, newest first."""
        return await self._desk(caller, mine=True, account=None)

    async def asked(self, caller: Caller, accounts: Collection[str]) -> dict[str, TaskView]:
        """What was asked of these accounts and the scheduler has not taken yet, by account; they are this person's.

        No account tells of such a request, and a second one would only lose to it.
        """
        found = [each for each in await self._requests.waiting(self._clock(), limit=_DESK) if each.account in accounts]
        known = {each.id for each in await self._tasks.get_many(each.id for each in found)} if found else set()
        views = [await self._requested(caller, each) for each in found if each.id not in known]
        return {each.account.id: each for each in views if each.open}

    async def _desk(self, caller: Caller, *, mine: bool, account: str | None) -> list[TaskView]:
        """What nobody took yet, newest first, as far as it is asked for."""
        found = await self._requests.waiting(self._clock(), limit=_DESK)
        views: list[TaskView] = []
        for each in reversed(found):
            if (mine and each.requester != caller.id) or (account is not None and each.account != account):
                continue
            if each.account is None:
                continue
            views.append(await self._requested(caller, each))
        return views

    async def _check(self, caller: Caller, requester: Person | None, account: str) -> None:
        if caller.sees_all or (requester is not None and requester.id == caller.id):
            return
        try:
            await self._access.account(caller, account)
        except NotThereError:
            raise NotThereError("task") from None

    async def _requested(self, caller: Caller, document: RequestDocument) -> TaskView:
        request = Request.model_validate_json(document.signed.payload)
        content = request.content
        if not isinstance(content, TaskContent) or request.resource is None:
            raise NotThereError("task")
        await self._check(caller, request.person, content.account)
        resource = await self._resources.get(request.resource)
        account = await self._accounts.get(content.account)
        return of_request(
            request,
            content,
            account="" if account is None else account.name,
            resource="" if resource is None else resource.name,
            now=self._clock(),
            why=document.why,
        )
