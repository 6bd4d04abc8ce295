"""*Access tokens*, under My account: made with the password, shown once, ended."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from libs.store.access_tokens import Scope
from libs.wire.ids import AccessTokenId
from libs.wire.secret import Secret
from services.api.access_tokens.schemas import MadeAccessTokenView, NewAccessTokenBody
from services.api.access_tokens.service import AccessTokens
from services.api.pages.refusals import Refusal, refusal_of, refused
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits

_HERE = "/me/access-tokens"
SCOPES = {
    Scope.SEE: "Machines, accounts, tasks",
    Scope.USE: "Change and verify passwords as well",
    Scope.MANAGE: "Share, and build packages as well",
    Scope.REVEAL: "Reveal passwords, without asking you",
    Scope.ADMINISTER: "What your role gives beyond machines: people, groups, audit",
}
DAYS = {1: "1 day", 7: "7 days", 30: "30 days", 90: "90 days", 366: "1 year"}


def router(pages: Pages, tokens: AccessTokens, see: Visits, post: Posts) -> APIRouter:
    routes = APIRouter(prefix=_HERE)

    @routes.get("")
    async def page(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        return await pages.show(visitor, "access_tokens.html", tokens=await tokens.mine(visitor.caller))

    async def form(visitor: Visitor, refusal: Refusal | None = None, **typed: Any) -> Response:
        shown = {"token_name": "", "days": "30", "scopes": {Scope.SEE.value}, **typed}
        said = refused(refusal)
        said["wrong"] = {"token_name" if name == "name" else name: why for name, why in said["wrong"].items()}
        return await pages.show(visitor, "new_access_token.html", typed=shown, scopes=SCOPES, spans=DAYS, **said)

    @routes.get("/new")
    async def ask(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        return await form(visitor)

    @routes.post("/new")
    async def make(posted: Annotated[Posted, Depends(post)]) -> Response:
        name, days = posted.text("token_name").strip(), posted.text("days")
        chosen = {scope.value for scope in Scope if posted.text(f"scope-{scope.value}") == "yes"}
        made: list[MadeAccessTokenView] = []

        async def do() -> None:
            body = NewAccessTokenBody.model_validate(
                {
                    "name": name,
                    "scopes": sorted(chosen),
                    "days": days,
                    "password": Secret(posted.fields.get("password", "")),
                    "code": posted.code,
                }
            )
            made.append(await tokens.make(posted.visitor.caller, body))

        refusal = await refusal_of(do())
        if refusal is not None:
            return await form(posted.visitor, refusal, token_name=name, days=days, scopes=chosen)
        return await pages.show(posted.visitor, "made_access_token.html", made=made[0])

    @routes.post("/{token}/end")
    async def end(posted: Annotated[Posted, Depends(post)], token: AccessTokenId) -> Response:
        await tokens.end(posted.visitor.caller, token)
        return go(_HERE)

    return routes
