"""`POST /v1/setup`: the first administrator."""

from fastapi import APIRouter, Request

from services.api.auth import address, via
from services.api.problems import PROBLEMS
from services.api.sessions.schemas import SignedInView
from services.api.setup.schemas import SetupBody
from services.api.setup.service import Setup


def router(setup: Setup) -> APIRouter:
    routes = APIRouter(prefix="/v1/setup", tags=["setup"], responses=PROBLEMS)

    @routes.post("", status_code=201, summary="Make the first administrator")
    async def make_first(request: Request, body: SetupBody) -> SignedInView:
        """Takes the code from the file `setup-code`: once, five tries, 24 hours. The administrator is signed in."""
        return await setup.first(body, address=address(request), via=via(request))

    return routes
