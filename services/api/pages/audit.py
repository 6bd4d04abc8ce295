"""*Audit*: what was done, by whom, on what and from where; for administrators, filtered, and as a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from libs.store.accounts import Accounts
from libs.store.audit import AuditTrail
from libs.store.resources import Resources
from libs.store.users import Users
from libs.wire.ids import AccountId
from services.api.audit.export import Format, file_of
from services.api.audit.schemas import RecordView
from services.api.audit.service import EVER, Audit, Filter
from services.api.errors import InvalidError
from services.api.fields import Cursor, Page
from services.api.pages.rendering import Pages
from services.api.pages.visitors import Visitor, Visits

_AT_ONCE = 50
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Archive:
    """What the page reads, with the names of what records name by identifier."""

    audit: Audit
    trail: AuditTrail
    users: Users
    accounts: Accounts
    resources: Resources

    async def names(self, records: Iterable[RecordView]) -> dict[str, str]:
        """Names by identifier; what is gone keeps its identifier."""
        found = list(records)
        accounts = await self.accounts.get_many({each.account for each in found if each.account})
        resources = await self.resources.get_many({each.resource for each in found if each.resource})
        return {each.id: each.name for each in accounts} | {each.id: each.name for each in resources}


@dataclass(frozen=True)
class Wanted:
    """The form that filters: a user name, an account, and days, the last one included."""

    who: str = ""
    account: str | None = None
    since: str = ""
    until: str = ""

    @property
    def query(self) -> str:
        """The same filter as the end of an address."""
        given = {"who": self.who, "account": self.account or "", "since": self.since, "until": self.until}
        return "&".join(f"{name}={value}" for name, value in given.items() if value)


def wanted(
    who: Annotated[str, Query(max_length=64, pattern=r"^[a-z0-9._@-]*$")] = "",
    account: Annotated[AccountId | None, Query()] = None,
    since: Annotated[str, Query(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = "",
    until: Annotated[str, Query(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = "",
) -> Wanted:
    return Wanted(who, account, since, until)


def router(pages: Pages, archive: Archive, see: Visits) -> APIRouter:
    routes = APIRouter(prefix="/audit")

    async def filter_of(asked: Wanted) -> Filter:
        user = await archive.users.named(asked.who) if asked.who else None
        if asked.who and user is None:
            raise InvalidError("who", f"There is no user named {asked.who}.")
        return Filter(
            account=asked.account,
            person=None if user is None else user.id,
            since=_millis(asked.since, "since", 0),
            until=_millis(asked.until, "until", EVER, whole_day=True),
        )

    @routes.get("")
    async def page(
        visitor: Annotated[Visitor, Depends(see)], asked: Annotated[Wanted, Depends(wanted)], cursor: Cursor = None
    ) -> Response:
        found, wrong = Page[RecordView](items=()), dict[str, str]()
        try:
            found = await archive.audit.page(visitor.caller, await filter_of(asked), limit=_AT_ONCE, cursor=cursor)
        except InvalidError as error:
            wrong = {each["field"]: each["problem"] for each in error.extra["errors"]}
        return await pages.show(
            visitor,
            "audit.html",
            records=found.items,
            names=await archive.names(found.items),
            asked=asked,
            wrong=wrong,
            cursor=cursor,
            following=found.next,
        )

    @routes.get("/export")
    async def export(
        visitor: Annotated[Visitor, Depends(see)],
        asked: Annotated[Wanted, Depends(wanted)],
        form: Annotated[Format, Query(alias="format")] = Format.JSON_LINES,
    ) -> Response:
        return file_of(await archive.audit.export(visitor.caller, await filter_of(asked), form), form)

    return routes


def _millis(day: str, field: str, without: int, *, whole_day: bool = False) -> int:
    """The beginning of a day in UTC, or its last moment; `without` where no day is given.

    Raises:
        InvalidError: there is no such day.
    """
    if not day:
        return without
    try:
        begins = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidError(field, f"There is no day {day}.") from error
    return int((begins + _DAY).timestamp() * 1_000) - 1 if whole_day else int(begins.timestamp() * 1_000)
