"""`GET /v1/audit`: what was done; for administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from libs.wire.ids import AccountId, TaskId, UserId
from services.api.access import Caller
from services.api.audit.schemas import RecordView
from services.api.audit.service import Audit
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Page
from services.api.problems import PROBLEMS


def router(audit: Audit, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/audit", tags=["audit"], responses=PROBLEMS)

    @routes.get("", summary="Read the audit")
    async def page(  # noqa: PLR0917 - the framework reads each query parameter from the signature
        caller: Annotated[Caller, Depends(signed_in)],
        account: Annotated[AccountId | None, Query(description="Only about this account.")] = None,
        person: Annotated[UserId | None, Query(description="Only by this person.")] = None,
        task: Annotated[TaskId | None, Query(description="Only about this task.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[RecordView]:
        """The records of all three services, newest first. At most one filter at a time."""
        return await audit.page(caller, account=account, person=person, task=task, limit=limit, cursor=cursor)

    return routes
