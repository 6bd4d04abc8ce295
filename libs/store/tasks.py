"""Tasks: what people see of a request. A projection of account and request, written by the scheduler alone."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from libs.domain.state import Kind
from libs.store.ports import After, Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable
from libs.wire.reasons import Reason, Remark
from libs.wire.requests import Person


class TaskState(StrEnum):
    QUEUED = "queued"  # waits for the agent
    OFFERED = "offered"  # the agent has it
    UNANSWERED = "unanswered"  # no answer came; the account is uncertain until a comparison settles it
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    CANNOT_TELL = "cannot_tell"


OPEN = (TaskState.QUEUED, TaskState.OFFERED, TaskState.UNANSWERED)

Requester = Person
"""Who asked, as the request says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Revised):
    """One request and what became of it."""

    kind: Kind
    account: str
    resource: str
    account_name: str = ""
    resource_name: str = ""
    requester: Requester | None  # None: Keyturn itself asked
    note: str = ""
    state: TaskState
    created_at: int
    queued_at: int | None = None
    offered_at: int | None = None
    ended_at: int | None = None
    deadline: int | None = None
    generation: str | None = None
    opens: bool | None = None  # of a verify
    reason: Reason | None = None
    detail: str | None = None
    remarks: tuple[Remark, ...] = ()
    group: str | None = None  # the campaign it belongs to
    not_before: int | None = None


class Tasks(TurningTable[Task]):
    """Everybody's tasks."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.TASKS, Task)

    async def page(
        self,
        *,
        now: int,
        limit: int,
        after: After | None = None,
        requester: str | None = None,
        account: str | None = None,
        state: TaskState | None = None,
    ) -> list[Task]:
        """Newest first; `after` is the (created_at, id) where the page before ended."""
        given: dict[str, Any] = {"requester.id": requester, "account": account, "state": state}
        equals = {field: value for field, value in given.items() if value is not None}
        return await self._page(now=now, limit=limit, after=after, equals=equals)

    async def waiting(self, requester: str, *, limit: int = 1_000) -> int:
        """How many of a person's tasks are open; `limit` means that many or more."""
        total = 0
        for state in OPEN:
            total += await self._collection.count(equals={"requester.id": requester, "state": state}, limit=limit)
        return min(total, limit)

    async def triggered(self, requester: str, kind: Kind, *, limit: int = 10_000) -> int:
        """How many tasks of a kind a person has asked for; `limit` means that many or more."""
        equals = {"requester.id": requester, "kind": kind}
        return await self._collection.count(equals=equals, between=("created_at", 0, 2**53), limit=limit)

    async def in_state(self, state: TaskState, *, limit: int = 10_000) -> int:
        """How many tasks are in a state; `limit` means that many or more."""
        return await self._collection.count(equals={"state": state}, limit=limit)

    async def oldest(self, state: TaskState) -> Task | None:
        """The task that has been in the system longest, of those in a state."""
        found = await self._collection.find(equals={"state": state}, between=("created_at", 0, 2**53), limit=1)
        return self._one(found[0]) if found else None
