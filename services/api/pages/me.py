"""*My account*: where one is signed in, ending that, and another password."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from libs.wire.secret import Secret
from services.api.auth import address
from services.api.errors import GatewayError, InvalidError
from services.api.pages import cookies
from services.api.pages.forms import problems
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.problems import INVALID, said_of
from services.api.sessions.mine import Mine

_HERE = "/me"


def router(pages: Pages, mine: Mine, see: Visits, post: Posts) -> APIRouter:
    routes = APIRouter(prefix=_HERE)

    @routes.get("")
    async def show(visitor: Annotated[Visitor, Depends(see)], changed: bool = False) -> Response:
        return await pages.show(visitor, "me.html", sessions=await mine.sessions(visitor.caller), changed=changed)

    @routes.post("/sessions/{session}/end")
    async def end(posted: Annotated[Posted, Depends(post)], session: str) -> Response:
        await mine.end(posted.visitor.caller, session)
        return go(_HERE)

    async def form(visitor: Visitor, **values: Any) -> Response:
        given: dict[str, Any] = {"wrong": {}, "notice": None, "kept": False, **values}
        return await pages.show(visitor, "password.html", **given)

    @routes.get("/password")
    async def ask(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        return await form(visitor)

    @routes.post("/password")
    async def change(request: Request, posted: Annotated[Posted, Depends(post)]) -> Response:
        own, new = Secret(posted.fields.get("own", "")), Secret(posted.fields.get("password", ""))
        try:
            signed = await mine.change_password(
                posted.visitor.caller, own, new, code=posted.code, address=address(request)
            )
        except InvalidError as error:
            return await form(posted.visitor, status=INVALID, wrong=problems(error))
        except GatewayError as error:
            said = said_of(error)
            return await form(posted.visitor, status=said.status, notice=said.detail)
        answer = go(f"{_HERE}?changed=true")
        cookies.sign_in(answer, signed.token, signed.expires_at, pages.now())
        return answer

    return routes
