"""*People*: who may sign in, and adding one; for administrators, who say again who they are before they add."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.responses import Response

from libs.store.users import Role
from libs.wire.secret import Secret
from services.api.access import administrator
from services.api.errors import GatewayError, InvalidError
from services.api.fields import MAX_PAGE, Cursor
from services.api.pages.forms import problems
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.problems import INVALID, said_of
from services.api.sessions.service import Sessions
from services.api.users.schemas import NewUserBody
from services.api.users.service import Users

ROLES = {
    Role.USER: "Sees and uses the machines under their own name",
    Role.ADMINISTRATOR: "Sees and uses everything, adds people, reads the audit",
}


def router(pages: Pages, users: Users, sessions: Sessions, see: Visits, post: Posts) -> APIRouter:
    routes = APIRouter(prefix="/people")

    @routes.get("")
    async def page(visitor: Annotated[Visitor, Depends(see)], cursor: Cursor = None) -> Response:
        found = await users.page(visitor.caller, limit=MAX_PAGE, cursor=cursor)
        return await pages.show(visitor, "people.html", people=found.items, cursor=cursor, following=found.next)

    async def form(visitor: Visitor, typed: dict[str, str], **values: Any) -> Response:
        administrator(visitor.caller)
        given: dict[str, Any] = {"wrong": {}, "notice": None, "kept": False, **values}
        shown = {"name": typed.get("name", ""), "role": typed.get("role", Role.USER.value)}
        return await pages.show(visitor, "person.html", typed=shown, roles=ROLES, **given)

    @routes.get("/new")
    async def ask(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        return await form(visitor, {})

    @routes.post("/new")
    async def add(posted: Annotated[Posted, Depends(post)]) -> Response:
        caller, fields = posted.visitor.caller, dict(posted.fields)
        administrator(caller)
        try:
            body = NewUserBody(
                name=fields.get("name", "").strip(),
                password=Secret(fields.get("password", "")),
                role=_role(fields.get("role", "")),
            )
            await sessions.confirm(caller, Secret(fields.get("own", "")), field="own")
            await users.add(caller, body)
        except (ValidationError, InvalidError) as error:
            return await form(posted.visitor, fields, status=INVALID, wrong=problems(error))
        except GatewayError as error:
            said = said_of(error)
            return await form(posted.visitor, fields, status=said.status, notice=said.detail)
        return go("/people")

    return routes


def _role(text: str) -> Role:
    """The role.

    Raises:
        InvalidError: it is none.
    """
    if text not in set(Role):
        raise InvalidError("role", "Choose one of the roles.")
    return Role(text)
