"""*Set-up*: the first administrator, with the first-run code."""

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from libs.wire.secret import Secret
from services.api.about.service import About
from services.api.auth import address
from services.api.errors import GatewayError
from services.api.pages.entry import Entry
from services.api.pages.forms import read
from services.api.pages.places import HOME
from services.api.pages.rendering import Pages, go
from services.api.setup.schemas import SetupBody
from services.api.setup.service import Setup


def router(pages: Pages, entry: Entry, setup: Setup, about: About) -> APIRouter:
    routes = APIRouter(prefix="/set-up")

    @routes.get("")
    async def ask() -> Response:
        if not (await about.show()).setup_needed:
            return go("/sign-in")
        return pages.plain("set_up.html", wrong={}, notice=None, name="")

    @routes.post("")
    async def make_first(request: Request) -> Response:
        fields = await read(request)
        name = fields.get("name", "")
        try:
            code, password = fields.get("code", "").strip().lower(), Secret(fields.get("password", ""))
            body = SetupBody(code=code, name=name, password=password)
            signed = await setup.first(body, address=address(request), via="page")
        except (ValidationError, GatewayError) as error:
            return entry.refused("set_up.html", error, name=name)
        return await entry.let_in(request, signed, HOME)

    return routes
