"""*Groups*: who is in which. An administrator says so; an auditor sees all, anybody else those that they are in."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from libs.wire.ids import GroupId, UserId
from services.api.access import administrator
from services.api.fields import MAX_PAGE, Cursor
from services.api.groups.schemas import MemberBody, NewGroupBody
from services.api.groups.service import Groups
from services.api.pages.forms import rule_of
from services.api.pages.refusals import Refusal, refusal_of, refused
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits

_HERE = "/people/groups"


def router(pages: Pages, groups: Groups, see: Visits, post: Posts) -> APIRouter:
    routes = APIRouter(prefix=_HERE)

    @routes.get("")
    async def page(visitor: Annotated[Visitor, Depends(see)], cursor: Cursor = None) -> Response:
        found = await groups.page(visitor.caller, limit=MAX_PAGE, cursor=cursor)
        return await pages.show(visitor, "groups.html", groups=found.items, cursor=cursor, following=found.next)

    async def new(visitor: Visitor, refusal: Refusal | None = None, name: str = "") -> Response:
        administrator(visitor.caller)
        said = refused(refusal)
        # The body calls it a name, and so do people's, whose rule is another one.
        said["wrong"] = {"group": rule_of("group")} if "name" in said["wrong"] else said["wrong"]
        return await pages.show(visitor, "new_group.html", typed={"group": name}, **said)

    @routes.get("/new")
    async def ask(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        return await new(visitor)

    @routes.post("/new")
    async def add(posted: Annotated[Posted, Depends(post)]) -> Response:
        administrator(posted.visitor.caller)
        name = posted.text("group").strip()

        async def do() -> None:
            await groups.add(posted.visitor.caller, NewGroupBody(name=name))

        refusal = await refusal_of(do())
        return go(_HERE) if refusal is None else await new(posted.visitor, refusal, name)

    return routes


def members(pages: Pages, groups: Groups, see: Visits, post: Posts) -> APIRouter:
    """Who is in one group."""
    routes = APIRouter(prefix=f"{_HERE}/{{group}}")

    async def show(
        visitor: Visitor, key: str, refusal: Refusal | None = None, name: str = "", cursor: str | None = None
    ) -> Response:
        group = await groups.one(visitor.caller, key)
        found = await groups.members(visitor.caller, key, limit=MAX_PAGE, cursor=cursor)
        return await pages.show(
            visitor,
            "group.html",
            group=group,
            members=found.items,
            cursor=cursor,
            following=found.next,
            typed={"user_name": name},
            **refused(refusal),
        )

    @routes.get("")
    async def one(visitor: Annotated[Visitor, Depends(see)], group: GroupId, cursor: Cursor = None) -> Response:
        return await show(visitor, group, cursor=cursor)

    @routes.post("/join")
    async def join(posted: Annotated[Posted, Depends(post)], group: GroupId) -> Response:
        administrator(posted.visitor.caller)
        name = posted.text("user_name").strip()

        async def do() -> None:
            await groups.join(posted.visitor.caller, group, MemberBody(user_name=name))

        refusal = await refusal_of(do())
        return go(f"{_HERE}/{group}") if refusal is None else await show(posted.visitor, group, refusal, name)

    @routes.post("/members/{user}/leave")
    async def leave(posted: Annotated[Posted, Depends(post)], group: GroupId, user: UserId) -> Response:
        await groups.leave(posted.visitor.caller, group, user)
        return go(f"{_HERE}/{group}")

    return routes


def ending(pages: Pages, groups: Groups, see: Visits, post: Posts) -> APIRouter:
    """A group that shall be no more."""
    routes = APIRouter(prefix=f"{_HERE}/{{group}}/remove")

    async def removing(visitor: Visitor, key: str, refusal: Refusal | None = None) -> Response:
        administrator(visitor.caller)
        group = await groups.one(visitor.caller, key)
        return await pages.show(visitor, "remove_group.html", group=group, **refused(refusal))

    @routes.get("")
    async def ask_remove(visitor: Annotated[Visitor, Depends(see)], group: GroupId) -> Response:
        return await removing(visitor, group)

    @routes.post("")
    async def remove(posted: Annotated[Posted, Depends(post)], group: GroupId) -> Response:
        administrator(posted.visitor.caller)
        refusal = await refusal_of(groups.remove(posted.visitor.caller, group))
        return go(_HERE) if refusal is None else await removing(posted.visitor, group, refusal)

    return routes
