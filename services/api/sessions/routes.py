"""`/v1/sessions`: signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from services.api.access import Caller
from services.api.auth import SignedIn, address, via
from services.api.problems import PROBLEMS
from services.api.sessions.schemas import SessionView, SignedInView, SignInBody
from services.api.sessions.service import Sessions


def router(sessions: Sessions, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/sessions", tags=["sessions"], responses=PROBLEMS)

    @routes.post("", status_code=201, summary="Sign in")
    async def sign_in(request: Request, body: SignInBody) -> SignedInView:
        """The token is good for twelve hours."""
        return await sessions.sign_in(body, address=address(request), via=via(request))

    @routes.get("/current", summary="Who is signed in")
    async def current(caller: Annotated[Caller, Depends(signed_in)]) -> SessionView:
        return await sessions.current(caller)

    @routes.delete("/current", status_code=204, summary="Sign out")
    async def sign_out(caller: Annotated[Caller, Depends(signed_in)]) -> None:
        """The token is good for nothing from now on."""
        await sessions.sign_out(caller)

    return routes
