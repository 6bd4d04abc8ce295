"""*Sign in*, with the code of a second factor as a step of its own, and *Sign out*."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from libs.wire.secret import Secret
from services.api.about.service import About
from services.api.auth import address
from services.api.errors import GatewayError, SlowDownError, WrongSignInError
from services.api.factors.service import CodeNeededError, WrongCodeError
from services.api.pages import cookies
from services.api.pages.entry import Entry
from services.api.pages.forms import read
from services.api.pages.places import place
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, visitor_of
from services.api.sessions.schemas import SignInBody
from services.api.sessions.service import Sessions


def router(pages: Pages, entry: Entry, sessions: Sessions, about: About, post: Posts) -> APIRouter:
    routes = APIRouter()

    @routes.get("/sign-in")
    async def ask(request: Request) -> Response:
        if (await about.show()).setup_needed:
            return go("/set-up")
        path = place(request.query_params.get("next"))
        if await visitor_of(sessions.find, request) is not None:
            return go(path)
        return pages.plain("sign_in.html", wrong={}, notice=None, name="", next=path)

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        fields = await read(request)
        name, path = fields.get("name", ""), place(fields.get("next"))
        try:
            body = SignInBody(name=name, password=Secret(fields.get("password", "")))
            signed = await sessions.sign_in(body, address=address(request), via="page")
        except CodeNeededError as error:
            return pages.plain("code.html", wrong={}, notice=None, ticket=error.ticket, next=path)
        except (ValidationError, GatewayError) as error:
            return entry.refused("sign_in.html", error, name=name, next=path)
        return await entry.let_in(request, signed, path)

    @routes.post("/sign-out")
    async def sign_out(posted: Annotated[Posted, Depends(post)]) -> Response:
        await sessions.sign_out(posted.visitor.caller)
        answer = go("/sign-in")
        cookies.sign_out(answer)
        return answer

    return routes


def second_step(entry: Entry, sessions: Sessions) -> APIRouter:
    """The code, after the password."""
    routes = APIRouter()

    @routes.post("/sign-in/code")
    async def code(request: Request) -> Response:
        fields = await read(request)
        ticket, path, typed = fields.get("ticket", ""), place(fields.get("next")), Secret(fields.get("code", ""))
        try:
            signed = await sessions.second_step(ticket, typed, address=address(request), via="page")
        except (CodeNeededError, WrongCodeError, SlowDownError) as error:
            return entry.refused("code.html", error, ticket=ticket, next=path)
        except WrongSignInError:
            # The ticket is past, or the password was changed meanwhile: from the beginning.
            return go(f"/sign-in?next={quote(path, safe='/')}")
        return await entry.let_in(request, signed, path)

    return routes
