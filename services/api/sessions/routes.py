"""`/v1/sessions`: signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from services.api.access import Caller
from services.api.auth import SignedIn, address, via
from services.api.fields import Page
from services.api.problems import PROBLEMS
from services.api.sessions.mine import Mine
from services.api.sessions.schemas import (
    ConfirmBody,
    NewPasswordBody,
    OwnSessionView,
    SessionView,
    SignedInView,
    SignInBody,
)
from services.api.sessions.service import Sessions


def router(sessions: Sessions, mine: Mine, signed_in: SignedIn, in_person: SignedIn) -> APIRouter:
    """`in_person`: a session, and no access token; `signed_in`: also one that still lacks a second factor."""
    routes = APIRouter(prefix="/v1/sessions", tags=["sessions"], responses=PROBLEMS)

    @routes.post("", status_code=201, summary="Sign in")
    async def sign_in(request: Request, body: SignInBody) -> SignedInView:
        """The token is good for twelve hours, or until an hour without use."""
        return await sessions.sign_in(body, address=address(request), via=via(request))

    @routes.get("/current", summary="Who is signed in")
    async def current(caller: Annotated[Caller, Depends(signed_in)]) -> SessionView:
        return await sessions.current(caller)

    @routes.delete("/current", status_code=204, summary="Sign out")
    async def sign_out(caller: Annotated[Caller, Depends(signed_in)]) -> None:
        """The token is good for nothing from now on."""
        await sessions.sign_out(caller)

    @routes.get("", summary="List your sessions")
    async def everywhere(caller: Annotated[Caller, Depends(in_person)]) -> Page[OwnSessionView]:
        """Where you are signed in, this one first; all on one page."""
        return Page(
            items=tuple(
                OwnSessionView(
                    id=each.name,
                    created_at=each.created_at,
                    expires_at=each.expires_at,
                    address=each.address,
                    via=each.via,
                    here=each.here,
                )
                for each in await mine.sessions(caller)
            )
        )

    @routes.post("/confirm", status_code=204, summary="Say again who you are")
    async def confirm(caller: Annotated[Caller, Depends(in_person)], body: ConfirmBody) -> None:
        """For five minutes, as after signing in, this session may reveal and change who may do what."""
        await sessions.confirm(caller, body.password, body.code)

    @routes.post("/password", summary="Change your password")
    async def password(
        request: Request, caller: Annotated[Caller, Depends(in_person)], body: NewPasswordBody
    ) -> SignedInView:
        """You are signed out everywhere, and this answer has the token of a fresh session."""
        return await mine.change_password(caller, body.own, body.password, code=body.code, address=address(request))

    @routes.delete("/{session}", status_code=204, summary="End one of your sessions")
    async def end(
        caller: Annotated[Caller, Depends(in_person)],
        session: Annotated[str, Path(pattern=r"^[0-9a-f]{20}$")],
    ) -> None:
        await mine.end(caller, session)

    return routes
