"""Task documents: what people see of a request, derived from the account and from the signed request.

They are inserted and updated after the account, again and again if need be: the same turn always gives the same
document.
"""

from dataclasses import dataclass, replace

import structlog

from libs.broker.ports import Broker
from libs.domain.accounts import Account
from libs.domain.errors import RuleError
from libs.domain.state import End, Ended, Flight, Kind, Phase
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.requests import Requests
from libs.store.resources import Resources
from libs.store.tasks import Task, Tasks, TaskState
from libs.wire.events import TaskChanged
from libs.wire.reasons import Reason
from libs.wire.requests import Request, TaskContent
from libs.wire.steps import Step, step
from services.scheduler.trusted import Gateway

log = structlog.get_logger(__name__)

_ENDS = {
    End.DONE: TaskState.DONE,
    End.REFUSED: TaskState.REFUSED,
    End.CANCELLED: TaskState.CANCELLED,
    End.EXPIRED: TaskState.EXPIRED,
    End.CANNOT_TELL: TaskState.CANNOT_TELL,
}
OVER = frozenset(_ENDS.values())


@dataclass(frozen=True)
class Projection:
    """Writes task documents, and tells whoever looks."""

    tasks: Tasks
    accounts: Accounts
    resources: Resources
    requests: Requests
    gateway: Gateway
    broker: Broker
    clock: Clock

    async def ended(self, task: str) -> bool:
        """Whether the task document says that it is over."""
        found = await self.tasks.get(task)
        return found is not None and found.state in OVER

    async def account_of(self, task: str) -> str | None:
        """The account that a task is about."""
        found = await self.tasks.get(task)
        return found.account if found else None

    async def refused(self, request: Request, error: RuleError) -> None:
        """The document of a request that ended before it could begin."""
        content = request.content
        if not isinstance(content, TaskContent):
            return
        account = await self.accounts.get(content.account)
        now = self.clock.now()
        state = TaskState.EXPIRED if now > request.deadline else TaskState.REFUSED
        task = Task(
            id=request.id,
            kind=Kind(content.kind),
            account=content.account,
            resource=account.resource if account else "",
            account_name=account.name if account else "",
            requester=request.person,
            note=content.note,
            state=state,
            reason=error.reason,
            detail=None,
            created_at=request.issued_at,
            ended_at=now,
            deadline=request.deadline,
            rev=1,
        )
        await self._insert(task)

    async def show(self, account: Account) -> None:
        """What the account says of its requests: the one in flight, the unanswered one, those that ended."""
        r = account.rotation
        if r.flight is not None:
            await self._update(_of_flight(account, r.flight))
        if r.unanswered is not None:
            shown = _of_flight(account, r.unanswered)
            await self._update(replace(shown, state=TaskState.UNANSWERED, reason=Reason.NO_ANSWER))
        for each in account.ended:
            await self._update(_of_ended(account, each))
            step(Step.SCHEDULER_END_SHOWN)
            await self.accounts.forget_ended(account.id, each.task)

    async def _insert(self, task: Task) -> bool:
        inserted = await self.tasks.insert(task)
        if inserted:
            await self._tell(task)
        return inserted

    async def _with_requester(self, task: Task) -> Task:
        """Who asked, by the signed request; a comparison that nobody asked for has none."""
        resource = await self.resources.get(task.resource)
        task = replace(task, resource_name=resource.name if resource else "")
        document = await self.requests.get(task.id)
        if document is None:
            return task
        try:
            request = self.gateway.request(document.signed, task.id)
        except RuleError as error:
            log.error("a request is no longer what the gateway signed", request=task.id, why=str(error))
            return task
        return replace(
            task,
            requester=request.person,
            note=_note(request),
            created_at=request.issued_at,
            deadline=request.deadline,
        )

    async def _update(self, shown: Task) -> None:
        """Brings the document to what is shown, never back from an end."""
        while True:
            before = await self.tasks.get(shown.id)
            if before is None:
                if await self._insert(await self._with_requester(shown)):
                    return
                continue
            if before.state in OVER:
                return
            after = replace(
                before,
                state=shown.state,
                reason=shown.reason,
                detail=shown.detail,
                opens=shown.opens,
                remarks=shown.remarks,
                generation=shown.generation or before.generation,
                queued_at=before.queued_at or shown.queued_at,
                offered_at=before.offered_at or shown.offered_at,
                ended_at=shown.ended_at,
                rev=before.rev + 1,
            )
            if after == replace(before, rev=after.rev):
                return
            if await self.tasks.save(before, after):
                await self._tell(after)
                return

    async def _tell(self, task: Task) -> None:
        requester = task.requester.id if task.requester else None
        changed = TaskChanged(task=task.id, requester=requester, rev=task.rev)
        await self.broker.notify(changed.envelope(self.clock.now()))


def _note(request: Request) -> str:
    content = request.content
    return content.note if isinstance(content, TaskContent) else ""


def _of_flight(account: Account, flight: Flight) -> Task:
    return Task(
        id=flight.task,
        kind=flight.kind,
        account=account.id,
        resource=account.resource,
        account_name=account.name,
        requester=None,
        state=TaskState.OFFERED if flight.phase is Phase.OFFERED else TaskState.QUEUED,
        generation=None if flight.kind is Kind.VERIFY else str(flight.generation),
        created_at=flight.requested_at,
        queued_at=flight.requested_at,
        offered_at=flight.offered_at,
        deadline=flight.deadline,
        rev=1,
    )


def _of_ended(account: Account, ended: Ended) -> Task:
    return Task(
        id=ended.task,
        kind=ended.kind,
        account=account.id,
        resource=account.resource,
        account_name=account.name,
        requester=None,
        state=_ENDS[ended.end],
        reason=ended.reason,
        detail=ended.detail,
        opens=ended.opens,
        remarks=ended.remarks,
        generation=str(ended.generation) if ended.generation else None,
        created_at=ended.at,
        ended_at=ended.at,
        deadline=ended.at,
        rev=1,
    )
