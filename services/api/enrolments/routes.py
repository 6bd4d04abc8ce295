"""`/v1/enrolments`: machines that wait for a person."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from libs.store.enrolments import EnrolmentState
from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.enrolments.schemas import EnrolmentView
from services.api.enrolments.service import Enrolments
from services.api.fields import Cursor, Limit, Name, Page
from services.api.problems import PROBLEMS


def router(enrolments: Enrolments, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/enrolments", tags=["enrolments"], responses=PROBLEMS)

    @routes.get("", summary="List enrolments that wait or waited for a person")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)],
        state: Annotated[EnrolmentState | None, Query(description="Only in this state.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[EnrolmentView]:
        """Administrators see all, others those that they may decide on; newest first."""
        return await enrolments.page(caller, state=state, limit=limit, cursor=cursor)

    @routes.post("/{enrolment}/approve", summary="Let a machine in")
    async def approve(caller: Annotated[Caller, Depends(signed_in)], enrolment: Name) -> EnrolmentView:
        """It gets its certificate when it asks again, within a minute. Safe to repeat."""
        return await enrolments.settle(caller, enrolment, approve=True)

    @routes.post("/{enrolment}/deny", summary="Keep a machine out")
    async def deny(caller: Annotated[Caller, Depends(signed_in)], enrolment: Name) -> EnrolmentView:
        """It gets nothing by this package, which another machine may then use. Safe to repeat."""
        return await enrolments.settle(caller, enrolment, approve=False)

    return routes
