"""The audit as administrators read it: the records of all three services in one order."""

from collections.abc import Callable

from libs.store.audit import AuditTrail, Told
from services.api.access import Caller, administrator
from services.api.audit.schemas import RecordView
from services.api.errors import InvalidError
from services.api.fields import Page, Ref, from_cursor, page_of


class Audit:
    """Reads all records. `clock` in Unix milliseconds."""

    def __init__(self, trail: AuditTrail, clock: Callable[[], int]) -> None:
        self._trail, self._clock = trail, clock

    async def page(
        self,
        caller: Caller,
        *,
        account: str | None,
        person: str | None,
        task: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[RecordView]:
        """Newest first.

        Raises:
            NotAllowedError: not an administrator.
            InvalidError: more than one filter.
        """
        administrator(caller)
        given = {"account": account, "person": person, "task": task}
        filters = [name for name, value in given.items() if value is not None]
        if len(filters) > 1:
            raise InvalidError(filters[1], "Filter by one of account, person and task at a time.")
        after = from_cursor(cursor, int)
        found = await self._trail.page(
            now=self._clock(), limit=limit + 1, after=after, account=account, who=person, task=task
        )
        return page_of(found, limit, _view, lambda told: (told.record.at, told.record.id))


def _view(told: Told) -> RecordView:
    record = told.record
    return RecordView(
        id=record.id,
        at=record.at,
        service=told.service.value,
        what=record.what,
        who=None if record.who is None else Ref(id=record.who.id, name=record.who.name),
        account=record.account,
        resource=record.resource,
        task=record.task,
        outcome=record.outcome,
        reason=record.reason,
        address=record.address,
        extra=record.extra,
    )
