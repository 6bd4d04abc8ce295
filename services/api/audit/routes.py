"""`/v1/audit`: what was done; for administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from libs.wire.ids import AccountId, TaskId, UserId
from services.api.access import Caller
from services.api.audit.export import Format, file_of
from services.api.audit.schemas import RecordView
from services.api.audit.service import Audit, Filter
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Page
from services.api.problems import PROBLEMS


def wanted(
    account: Annotated[AccountId | None, Query(description="Only about this account.")] = None,
    person: Annotated[UserId | None, Query(description="Only by this person.")] = None,
    task: Annotated[TaskId | None, Query(description="Only about this task.")] = None,
) -> Filter:
    """Which records; at most one filter at a time."""
    return Filter(account=account, person=person, task=task)


def router(audit: Audit, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/audit", tags=["audit"], responses=PROBLEMS)

    @routes.get("", summary="Read the audit")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)],
        filtered: Annotated[Filter, Depends(wanted)],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[RecordView]:
        """The records of all three services, newest first. At most one filter at a time."""
        return await audit.page(caller, filtered, limit=limit, cursor=cursor)

    @routes.get("/export", summary="Export the audit", response_class=StreamingResponse)
    async def export(
        caller: Annotated[Caller, Depends(signed_in)],
        filtered: Annotated[Filter, Depends(wanted)],
        form: Annotated[
            Format, Query(alias="format", description="jsonl, or csv for a spreadsheet.")
        ] = Format.JSON_LINES,
    ) -> StreamingResponse:
        """All records as a file, service after service, oldest first.

        A line of `jsonl` is `{"service": …, "record": …}` with the record's place in its service's chain:
        `keyturn audit verify FILE` checks it offline.
        """
        return file_of(await audit.export(caller, filtered, form), form)

    return routes
