"""`/v1/users`: for administrators, and auditors to read; everybody reads their own."""

from typing import Annotated

from fastapi import APIRouter, Depends

from libs.wire.ids import UserId
from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Page
from services.api.problems import PROBLEMS
from services.api.users.schemas import ChangedUserBody, NewUserBody, UserView
from services.api.users.service import Users


def router(users: Users, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/users", tags=["users"], responses=PROBLEMS)

    @routes.get("", summary="List users")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)], limit: Limit = 50, cursor: Cursor = None
    ) -> Page[UserView]:
        """Administrators and auditors only; newest first."""
        return await users.page(caller, limit=limit, cursor=cursor)

    @routes.post("", status_code=201, summary="Add a user")
    async def add(caller: Annotated[Caller, Depends(signed_in)], body: NewUserBody) -> UserView:
        """Administrators only."""
        return await users.add(caller, body)

    @routes.get("/{user}", summary="Show a user")
    async def one(caller: Annotated[Caller, Depends(signed_in)], user: UserId) -> UserView:
        return await users.one(caller, user)

    @routes.patch("/{user}", summary="Change a user")
    async def change(caller: Annotated[Caller, Depends(signed_in)], user: UserId, body: ChangedUserBody) -> UserView:
        """Another role, or kept out, or let in again. Administrators only; the user's sessions end."""
        return await users.change(caller, user, body)

    @routes.delete("/{user}/sessions", status_code=204, summary="Sign a user out everywhere")
    async def sign_out(caller: Annotated[Caller, Depends(signed_in)], user: UserId) -> None:
        """Administrators only. Access tokens go on; they end with `disabled`."""
        await users.sign_out(caller, user)

    return routes
