"""*People*: who may sign in, adding one, and changing one; an administrator says again who they are before that."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.responses import Response

from libs.store.users import Role
from libs.wire.ids import UserId
from libs.wire.secret import Secret
from services.api.access import administrator
from services.api.errors import GatewayError, InvalidError
from services.api.fields import MAX_PAGE, Cursor
from services.api.pages.forms import problems
from services.api.pages.refusals import Refusal, refusal_of, refused
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.problems import INVALID, said_of
from services.api.sessions.service import Sessions
from services.api.users.schemas import ChangedUserBody, NewUserBody
from services.api.users.service import Users


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
        return await pages.show(visitor, "person.html", typed=shown, **given)

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
            confirmed = await sessions.confirm(caller, Secret(fields.get("own", "")), posted.code, field="own")
            await users.add(confirmed, body)
        except (ValidationError, InvalidError) as error:
            return await form(posted.visitor, fields, status=INVALID, wrong=problems(error))
        except GatewayError as error:
            said = said_of(error)
            return await form(posted.visitor, fields, status=said.status, notice=said.detail)
        return go("/people")

    return routes


def changing(pages: Pages, users: Users, sessions: Sessions, see: Visits, post: Posts) -> APIRouter:
    """Another role for a person, or keeping them out."""
    routes = APIRouter(prefix="/people/{user}/change")

    async def change_form(visitor: Visitor, key: str, refusal: Refusal | None = None, **typed: str) -> Response:
        administrator(visitor.caller)
        person = await users.one(visitor.caller, key)
        shown = {"role": person.role.value, "entry": "out" if person.disabled else "in", **typed}
        return await pages.show(visitor, "change_person.html", person=person, typed=shown, **refused(refusal))

    @routes.get("")
    async def ask_change(visitor: Annotated[Visitor, Depends(see)], user: UserId) -> Response:
        return await change_form(visitor, user)

    @routes.post("")
    async def change(posted: Annotated[Posted, Depends(post)], user: UserId) -> Response:
        caller, role, entry = posted.visitor.caller, posted.text("role"), posted.text("entry")
        administrator(caller)

        async def do() -> None:
            body = ChangedUserBody(role=_role(role), disabled=entry == "out")
            own = Secret(posted.fields.get("own", ""))
            await users.change(await sessions.confirm(caller, own, posted.code, field="own"), user, body)

        refusal = await refusal_of(do())
        return (
            go("/people")
            if refusal is None
            else await change_form(posted.visitor, user, refusal, role=role, entry=entry)
        )

    return routes


def signing_out(users: Users, post: Posts) -> APIRouter:
    """A person is signed out everywhere."""
    routes = APIRouter(prefix="/people/{user}/sign-out")

    @routes.post("")
    async def sign_out(posted: Annotated[Posted, Depends(post)], user: UserId) -> Response:
        await users.sign_out(posted.visitor.caller, user)
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
