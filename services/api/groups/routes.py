"""`/v1/groups`: groups of people, with whom owners share."""

from typing import Annotated

from fastapi import APIRouter, Depends

from libs.wire.ids import GroupId, UserId
from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Page
from services.api.groups.schemas import GroupView, MemberBody, MemberView, NewGroupBody
from services.api.groups.service import Groups
from services.api.problems import PROBLEMS


def router(groups: Groups, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/groups", tags=["groups"], responses=PROBLEMS)

    @routes.get("", summary="List groups")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)], limit: Limit = 50, cursor: Cursor = None
    ) -> Page[GroupView]:
        """An administrator and an auditor see all, others those that they are in; newest first."""
        return await groups.page(caller, limit=limit, cursor=cursor)

    @routes.post("", status_code=201, summary="Add a group")
    async def add(caller: Annotated[Caller, Depends(signed_in)], body: NewGroupBody) -> GroupView:
        """Administrators only."""
        return await groups.add(caller, body)

    @routes.get("/{group}", summary="Show a group")
    async def one(caller: Annotated[Caller, Depends(signed_in)], group: GroupId) -> GroupView:
        return await groups.one(caller, group)

    @routes.delete("/{group}", status_code=204, summary="Remove a group")
    async def remove(caller: Annotated[Caller, Depends(signed_in)], group: GroupId) -> None:
        """Administrators only. What was shared with it is not any longer."""
        await groups.remove(caller, group)

    @routes.get("/{group}/members", summary="List who is in a group")
    async def members(
        caller: Annotated[Caller, Depends(signed_in)], group: GroupId, limit: Limit = 50, cursor: Cursor = None
    ) -> Page[MemberView]:
        """By name."""
        return await groups.members(caller, group, limit=limit, cursor=cursor)

    @routes.post("/{group}/members", status_code=201, summary="Put a person into a group")
    async def join(caller: Annotated[Caller, Depends(signed_in)], group: GroupId, body: MemberBody) -> MemberView:
        """Administrators only; safe to repeat."""
        return await groups.join(caller, group, body)

    @routes.delete("/{group}/members/{user}", status_code=204, summary="Take a person out of a group")
    async def leave(caller: Annotated[Caller, Depends(signed_in)], group: GroupId, user: UserId) -> None:
        """Administrators only."""
        await groups.leave(caller, group, user)

    return routes
