"""Letting a waiting machine in or keeping it out, and ending a package: a form each that says what it will do."""

from collections.abc import Awaitable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.api.enrolments.service import Enrolments
from services.api.errors import GatewayError, InvalidError
from services.api.fields import Name
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.problems import said_of
from services.api.tokens.service import Tokens
from services.api.tokens.words import admits

AGENTS = "/admin/agents"


def enrolments(pages: Pages, known: Enrolments, see: Visits, post: Posts) -> APIRouter:
    """A machine that waits for a person."""
    routes = APIRouter(prefix="/admin/enrolments")

    async def form(visitor: Visitor, key: str, refusal: GatewayError | None = None) -> Response:
        return await pages.show(
            visitor, "admit.html", enrolment=await known.one(visitor.caller, key), **_refused(refusal)
        )

    @routes.get("/{enrolment}")
    async def ask(visitor: Annotated[Visitor, Depends(see)], enrolment: Name) -> Response:
        return await form(visitor, enrolment)

    @routes.post("/{enrolment}")
    async def settle(posted: Annotated[Posted, Depends(post)], enrolment: Name) -> Response:
        await known.one(posted.visitor.caller, enrolment)
        decision = posted.text("decision")
        if decision not in {"approve", "deny"}:
            raise InvalidError("decision", "Say whether the machine is let in or kept out. Nothing was decided.")
        refusal = await _refusal(known.settle(posted.visitor.caller, enrolment, approve=decision == "approve"))
        return go(AGENTS) if refusal is None else await form(posted.visitor, enrolment, refusal)

    return routes


def tokens(pages: Pages, known: Tokens, see: Visits, post: Posts) -> APIRouter:
    """What a package still admits."""
    routes = APIRouter(prefix="/admin/tokens")

    async def form(visitor: Visitor, key: str, refusal: GatewayError | None = None) -> Response:
        token = await known.one(visitor.caller, key)
        sentence = admits(token, pages.now())
        return await pages.show(visitor, "revoke_token.html", token=token, sentence=sentence, **_refused(refusal))

    @routes.get("/{token}/revoke")
    async def ask(visitor: Annotated[Visitor, Depends(see)], token: Name) -> Response:
        return await form(visitor, token)

    @routes.post("/{token}/revoke")
    async def revoke(posted: Annotated[Posted, Depends(post)], token: Name) -> Response:
        refusal = await _refusal(known.revoke(posted.visitor.caller, token))
        return go(AGENTS) if refusal is None else await form(posted.visitor, token, refusal)

    return routes


async def _refusal(doing: Awaitable[Any]) -> GatewayError | None:
    """Why it was not done, if it was not."""
    try:
        await doing
    except GatewayError as error:
        return error
    return None


def _refused(refusal: GatewayError | None) -> dict[str, Any]:
    """What the form says of it."""
    said = None if refusal is None else said_of(refusal)
    values: dict[str, Any] = {"wrong": {}, "kept": False, "notice": None if said is None else said.detail}
    return values if said is None else {**values, "status": said.status}
