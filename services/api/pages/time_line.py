"""What happened to an account, newest first: what was asked of it and what became of that, and who revealed it.

Tasks come a page at a time; the reveals are those of the same stretch of time, from the audit, which an owner sees here
as far as it is about this account.
"""

from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple

from libs.store.audit import AuditRecord, AuditTrail
from services.api.access import Caller
from services.api.fields import Page, from_cursor
from services.api.pages import looks
from services.api.pages.looks import Look
from services.api.tasks.schemas import TaskView
from services.api.tasks.service import Tasks

_TASKS = 20
_REVEALS = 100
_REVEALED = Look("eye", "Revealed", "none")
_DECLINED = Look("minus", "Not revealed", "none")


class Event(NamedTuple):
    """One thing that happened; moments in Unix milliseconds."""

    at: int
    look: Look
    who: str
    did: str
    lines: tuple[str, ...]
    note: str = ""
    host_said: str = ""


class Told(NamedTuple):
    """A page of it."""

    tasks: Page[TaskView]
    events: tuple[Event, ...]

    @property
    def days(self) -> list[tuple[str, list[Event]]]:
        """The events under their days, in UTC."""
        return [(day, list(found)) for day, found in groupby(self.events, key=lambda each: _day(each.at))]


class TimeLine:
    """Tells it to who may see the account."""

    def __init__(self, tasks: Tasks, trail: AuditTrail) -> None:
        self._tasks, self._trail = tasks, trail

    async def page(self, caller: Caller, account: str, cursor: str | None, now: int) -> Told:
        """One page, newest first.

        Raises:
            NotThereError: the account is not this person's to see.
            BadCursorError: the cursor is none of ours.
        """
        tasks = await self._tasks.page(caller, mine=False, account=account, state=None, limit=_TASKS, cursor=cursor)
        since = tasks.items[-1].requested_at if tasks.next is not None else 0
        place = from_cursor(cursor, int)
        records = await self._trail.page(
            now=now, limit=_REVEALS, account=account, since=since, until=now if place is None else place[0]
        )
        reveals = (each.record for each in records if each.record.what == "account.reveal")
        events = [*map(_of_task, tasks.items), *map(_of_reveal, reveals)]
        return Told(tasks, tuple(sorted(events, key=lambda each: each.at, reverse=True)))


def _of_task(task: TaskView) -> Event:
    """What was asked, and how it stands."""
    remarks = (remark.sentence for remark in task.remarks)
    return Event(
        at=task.requested_at,
        look=looks.of_task(task),
        who=task.requester.name if task.requester else "Keyturn",
        did=looks.ASKED[task.kind],
        lines=(task.sentence, *remarks),
        note=task.note,
        host_said=task.detail or "",
    )


def _of_reveal(record: AuditRecord) -> Event:
    """Who saw which passwords, or wanted to."""
    revealed = record.outcome == "revealed"
    count = len(record.extra.get("generations", "").split(", "))
    what = "revealed the password" if count == 1 else f"revealed {count} passwords"
    lines = []
    if not revealed:
        lines.append("Declined: the budget of reveals of that hour was spent.")
    if record.extra.get("sealed_to") == "the gateway":
        lines.append("The server opened it, for a browser without scripts.")
    return Event(
        at=record.at,
        look=_REVEALED if revealed else _DECLINED,
        who=record.who.name if record.who else "Somebody",
        did=what if revealed else "asked to reveal the password",
        lines=tuple(lines),
        note=record.reason or "",
    )


def _day(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1_000, UTC)
    return f"{moment:%A} {moment.day} {moment:%B %Y}"
