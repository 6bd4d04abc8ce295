"""*Download agent*: what the package may do is said in the same form that builds it.

The answer is the zip itself, so without scripts the form stays as it is and the browser saves the file. Either way the
zip's SHA-256 stands beside the package in the list of packages.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from starlette.responses import Response

from libs.wire.ids import ResourceId
from libs.wire.requests import Platform
from services.api.errors import GatewayError, InvalidError
from services.api.packages.routes import zip_of
from services.api.packages.schemas import PackageBody
from services.api.packages.service import Packages
from services.api.pages.forms import problems
from services.api.pages.rendering import Pages
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.problems import INVALID, said_of
from services.api.resources.service import Resources

LIFETIMES = {3_600: "1 hour", 86_400: "24 hours", 604_800: "7 days", 2_592_000: "30 days"}
_EMPTY = {
    "platform": Platform.LINUX.value,
    "uses": "1",
    "lifetime_seconds": "86400",
    "host_pattern": "",
    "networks": "",
    "approval": "",
    "server_name": "",
    "server_port": "",
    "schedule_interval": "60",
    "also": "",
    "for_resource": "",
}


def router(pages: Pages, packages: Packages, resources: Resources, see: Visits, post: Posts) -> APIRouter:
    routes = APIRouter(prefix="/admin/agents/download")

    async def form(request: Request, visitor: Visitor, typed: Mapping[str, str], **values: Any) -> Response:
        given: dict[str, Any] = {"wrong": {}, "notice": None, **values}
        defaults = _EMPTY | {"user_name": visitor.caller.name}
        shown = {name: typed.get(name, default) for name, default in defaults.items()}
        known = None
        if shown["for_resource"]:
            known = await resources.one(visitor.caller, shown["for_resource"])
            shown |= {"user_name": known.owner.name, "platform": known.platform.value}
        return await pages.show(
            visitor,
            "download.html",
            typed=shown,
            known=known,
            releases=await packages.releases(),
            platforms=Platform,
            lifetimes=LIFETIMES,
            server=f"{request.url.hostname}:{request.url.port or 443}",
            **given,
        )

    @routes.get("")
    async def ask(
        request: Request,
        visitor: Annotated[Visitor, Depends(see)],
        resource: Annotated[ResourceId | None, Query()] = None,
    ) -> Response:
        about = {} if resource is None else {"for_resource": resource}
        return await form(request, visitor, {**visitor.typed, **about})

    @routes.post("")
    async def build(request: Request, posted: Annotated[Posted, Depends(post)]) -> Response:
        try:
            return await zipped(request, posted)
        except (ValidationError, InvalidError) as error:
            values: dict[str, Any] = {"status": INVALID, "wrong": problems(error)}
        except GatewayError as error:
            said = said_of(error)
            values = {"status": said.status, "notice": said.detail}
        return await form(request, posted.visitor, posted.fields, **values)

    async def zipped(request: Request, posted: Posted) -> StreamingResponse:
        made = await packages.build(
            posted.visitor.caller, body_of(posted), asked_host=request.url.hostname, asked_port=request.url.port
        )
        return zip_of(made)

    return routes


def body_of(posted: Posted) -> PackageBody:
    """The package that the form describes; an empty field is as if it were not there.

    Raises:
        ValidationError: a field breaks a rule.
    """
    names = ("platform", "user_name", "uses", "lifetime_seconds", "host_pattern", "server_name", "server_port",
             "schedule_interval", "for_resource")  # fmt: skip
    given: dict[str, Any] = {name: text for name in names if (text := posted.text(name).strip())}
    given["networks"] = _words(posted.text("networks"))
    given["user_names"] = _words(posted.text("also"))
    return PackageBody.model_validate({**given, "approval": posted.text("approval") == "yes"})


def _words(text: str) -> tuple[str, ...]:
    return tuple(each for each in re.split(r"[\s,;]+", text) if each)
