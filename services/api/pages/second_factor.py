"""*Second factor*: begun with the password, confirmed with a first code; the QR code is drawn here, as SVG.

The secret and the recovery codes stand in the one answer that shows them, which nobody may keep.
"""

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends
from markupsafe import Markup
from starlette.responses import Response

from libs.wire.ids import UserId
from libs.wire.secret import Secret
from services.api.errors import InvalidError
from services.api.factors.own import OwnFactor
from services.api.factors.schemas import BeginBody, FirstCodeBody
from services.api.pages.asking import password_of
from services.api.pages.refusals import Refusal, refusal_of, refused
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits

_HERE = "/me/second-factor"


def router(pages: Pages, factor: OwnFactor, see: Visits, post: Posts) -> APIRouter:
    routes = APIRouter(prefix=_HERE)

    async def show(visitor: Visitor, refusal: Refusal | None = None, **more: Any) -> Response:
        values: dict[str, Any] = {"begun": None, "qr": "", "codes": (), **refused(refusal), **more}
        found = await factor.show(visitor.caller)
        return await pages.show(visitor, "second_factor.html", factor=found, **values)

    @routes.get("")
    async def ask(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        return await show(visitor)

    @routes.post("")
    async def begin(posted: Annotated[Posted, Depends(post)]) -> Response:
        caller = posted.visitor.caller

        async def do() -> None:
            await factor.begin(caller, BeginBody(password=password_of(posted), code=posted.code))

        refusal = await refusal_of(do())
        return await show(posted.visitor, refusal, **({} if refusal else await drawn(posted.visitor)))

    @routes.post("/confirm")
    async def confirm(posted: Annotated[Posted, Depends(post)]) -> Response:
        codes: list[str] = []

        async def do() -> None:
            if posted.code is None:
                raise InvalidError("code", "Type the code that the app shows now.")
            codes.extend((await factor.confirm(posted.visitor.caller, FirstCodeBody(code=posted.code))).recovery_codes)

        refusal = await refusal_of(do())
        more = {"codes": codes} if refusal is None else await drawn(posted.visitor)
        return await show(posted.visitor, refusal, **more)

    async def drawn(visitor: Visitor) -> dict[str, Any]:
        begun = await factor.begun(visitor.caller)
        return {} if begun is None else {"begun": begun, "qr": qr(begun.address)}

    return routes


def ending(pages: Pages, factor: OwnFactor, post: Posts) -> APIRouter:
    """One's own, and another person's who lost theirs."""
    routes = APIRouter()

    @routes.post(f"{_HERE}/end")
    async def end(posted: Annotated[Posted, Depends(post)]) -> Response:
        async def do() -> None:
            password = Secret(posted.fields.get("password", ""))
            await factor.remove(posted.visitor.caller, BeginBody(password=password, code=posted.code))

        refusal = await refusal_of(do())
        if refusal is None:
            return go("/me")
        found = await factor.show(posted.visitor.caller)
        values: dict[str, Any] = {"begun": None, "qr": "", "codes": (), **refused(refusal)}
        return await pages.show(posted.visitor, "second_factor.html", factor=found, **values)

    @routes.post("/people/{user}/second-factor/end")
    async def take_away(posted: Annotated[Posted, Depends(post)], user: UserId) -> Response:
        await factor.take_away(posted.visitor.caller, user)
        return go("/people")

    return routes


def qr(text: str) -> Markup:
    """A QR code as SVG without a style or a script, which the page's policy would refuse."""
    made = segno.make(text, error="m", micro=False)
    drawing = made.svg_inline(
        scale=1, border=4, dark="#000000", light="#ffffff", omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(drawing.replace("<svg ", '<svg role="img" aria-label="The QR code of your second factor" ', 1))  # noqa: S704 - made here, of shapes alone
