"""*Sharing* of a resource: with whom, how far, and who owns it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from libs.store.shares import Level
from libs.wire.ids import ResourceId, ShareId
from services.api.accounts.service import Accounts
from services.api.pages.refusals import Refusal, refusal_of, refused
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.resources.handing import HandingOver
from services.api.resources.schemas import HandOverBody
from services.api.resources.service import Resources
from services.api.shares.schemas import ShareBody
from services.api.shares.service import Shares

_EMPTY = {"kind": "person", "with": "", "account": "", "level": Level.USE.value}


def router(
    pages: Pages,
    resources: Resources,
    accounts: Accounts,
    shares: Shares,
    *,
    see: Visits,
    post: Posts,
) -> APIRouter:
    routes = APIRouter(prefix="/resources/{resource}")

    @routes.get("/sharing")
    async def page(visitor: Annotated[Visitor, Depends(see)], resource: ResourceId) -> Response:
        found = await shares.of_resource(visitor.caller, resource)
        shown = await resources.one(visitor.caller, resource)
        return await pages.show(
            visitor, "sharing.html", resource=shown, shares=found.items, may_share=shown.level is Level.MANAGE
        )

    async def form(visitor: Visitor, key: str, refusal: Refusal | None = None, **typed: str) -> Response:
        resource = await resources.managed(visitor.caller, key)
        said = refused(refusal)
        # One field has the name of whom it is shared with, be it a person or a group.
        said["wrong"] = {"with" if name in {"person", "group"} else name: why for name, why in said["wrong"].items()}
        return await pages.show(visitor, "share.html", resource=resource, typed=_EMPTY | typed, **said)

    @routes.get("/sharing/new")
    async def ask(visitor: Annotated[Visitor, Depends(see)], resource: ResourceId) -> Response:
        return await form(visitor, resource)

    @routes.post("/sharing/new")
    async def give(posted: Annotated[Posted, Depends(post)], resource: ResourceId) -> Response:
        caller = posted.visitor.caller
        typed = {name: posted.text(name).strip() for name in _EMPTY}
        await resources.managed(caller, resource)

        async def do() -> None:
            whole: dict[str, Any] = {"level": typed["level"], "resource": resource}
            if typed["account"]:
                whole["account"] = await accounts.named(caller, whole.pop("resource"), typed["account"])
            whole["group" if typed["kind"] == "group" else "person"] = typed["with"]
            await shares.give(caller, ShareBody(**whole))

        refusal = await refusal_of(do())
        if refusal is None:
            return go(f"/resources/{resource}/sharing")
        return await form(posted.visitor, resource, refusal, **typed)

    @routes.post("/sharing/{share}/end")
    async def end(posted: Annotated[Posted, Depends(post)], resource: ResourceId, share: ShareId) -> Response:
        await shares.end(posted.visitor.caller, share)
        return go(f"/resources/{resource}/sharing")

    return routes


def owner(pages: Pages, resources: Resources, handing: HandingOver, see: Visits, post: Posts) -> APIRouter:
    """Another owner."""
    routes = APIRouter(prefix="/resources/{resource}/owner")

    async def handing_over(visitor: Visitor, key: str, refusal: Refusal | None = None, name: str = "") -> Response:
        await handing.allowed(visitor.caller, key)
        resource, typed = await resources.one(visitor.caller, key), {"user_name": name}
        return await pages.show(visitor, "hand_over.html", resource=resource, typed=typed, **refused(refusal))

    @routes.get("")
    async def ask_owner(visitor: Annotated[Visitor, Depends(see)], resource: ResourceId) -> Response:
        return await handing_over(visitor, resource)

    @routes.post("")
    async def hand_over(posted: Annotated[Posted, Depends(post)], resource: ResourceId) -> Response:
        caller, name = posted.visitor.caller, posted.text("user_name").strip()
        await handing.allowed(caller, resource)

        async def do() -> None:
            await handing.hand_over(caller, resource, HandOverBody(user_name=name))

        refusal = await refusal_of(do())
        if refusal is not None:
            return await handing_over(posted.visitor, resource, refusal, name)
        # Who gave it away may not see it any more.
        return go("/resources")

    return routes
