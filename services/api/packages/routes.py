"""`/v1/packages`: the zip that installs an agent."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Page
from services.api.packages.schemas import PackageBody, PackageView
from services.api.packages.service import Made, Packages
from services.api.problems import PROBLEMS

_ZIP = {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}


def router(packages: Packages, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/packages", tags=["packages"], responses=PROBLEMS)

    @routes.get("", summary="List packages")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)], limit: Limit = 50, cursor: Cursor = None
    ) -> Page[PackageView]:
        """Administrators see all, others those that they made; newest first."""
        return await packages.page(caller, limit=limit, cursor=cursor)

    @routes.post(
        "", summary="Build and download a package", response_class=StreamingResponse, responses={200: dict(_ZIP)}
    )
    async def build(
        request: Request, caller: Annotated[Caller, Depends(signed_in)], body: PackageBody
    ) -> StreamingResponse:
        """A zip made for this server, with a fresh enrolment token.

        `X-Keyturn-Package` is its identifier, `X-Keyturn-Sha256` the hash of the whole zip. Everybody may build for
        their own `user_name`, administrators for anybody's.
        """
        made = await packages.build(caller, body, asked_host=request.url.hostname, asked_port=request.url.port)
        return zip_of(made)

    return routes


def zip_of(made: Made) -> StreamingResponse:
    """The package as a file to save."""
    headers = {
        "Content-Disposition": f'attachment; filename="{made.file_name}"',
        "Content-Length": str(made.size),
        "X-Keyturn-Package": made.id,
        "X-Keyturn-Sha256": made.sha256,
    }
    return StreamingResponse(made.chunks, media_type="application/zip", headers=headers)
