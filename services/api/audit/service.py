"""The audit as administrators and auditors read it: the records of all three services in one order, or as a file."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from libs.store.audit import AuditTrail, Told
from services.api.access import Caller, overseer
from services.api.audit.export import Format, written
from services.api.audit.recording import Recorder
from services.api.audit.schemas import RecordView
from services.api.errors import InvalidError
from services.api.fields import Page, Ref, from_cursor, page_of

EVER = 2**53


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records: at most one of account, person and task, and from when to when, in Unix milliseconds."""

    account: str | None = None
    person: str | None = None
    task: str | None = None
    since: int = 0
    until: int = EVER

    def check(self) -> None:
        """Returns where the store has an index for it.

        Raises:
            InvalidError: more than one thing to filter by.
        """
        given = {"account": self.account, "person": self.person, "task": self.task}
        filters = [name for name, value in given.items() if value is not None]
        if len(filters) > 1:
            raise InvalidError(filters[1], "Filter by one of account, person and task at a time.")


class Audit:
    """Reads all records. `clock` in Unix milliseconds."""

    def __init__(self, trail: AuditTrail, recorder: Recorder, clock: Callable[[], int]) -> None:
        self._trail, self._recorder, self._clock = trail, recorder, clock

    async def page(self, caller: Caller, wanted: Filter, *, limit: int, cursor: str | None) -> Page[RecordView]:
        """Newest first.

        Raises:
            NotAllowedError: neither an administrator nor an auditor.
            InvalidError: more than one filter.
        """
        overseer(caller)
        wanted.check()
        found = await self._trail.page(
            now=self._clock(),
            limit=limit + 1,
            after=from_cursor(cursor, int),
            account=wanted.account,
            who=wanted.person,
            task=wanted.task,
            since=wanted.since,
            until=wanted.until,
        )
        return page_of(found, limit, _view, lambda told: (told.record.at, told.record.id))

    async def export(self, caller: Caller, wanted: Filter, form: Format) -> AsyncIterator[bytes]:
        """The file, piece by piece; that it was taken is a record too, written before the first byte leaves.

        Raises:
            NotAllowedError: neither an administrator nor an auditor.
            InvalidError: more than one filter.
        """
        overseer(caller)
        wanted.check()
        until = min(wanted.until, self._clock())
        detail = {"format": form.value, "account": wanted.account, "person": wanted.person, "about_task": wanted.task}
        await self._recorder.record("audit.exported", caller.to_person(), detail=detail)
        records = self._trail.whole(
            account=wanted.account, who=wanted.person, task=wanted.task, since=wanted.since, until=until
        )
        return written(records, form)


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
