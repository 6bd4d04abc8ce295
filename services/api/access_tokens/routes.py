"""`/v1/access-tokens`: what one's programs sign in with. A session is needed for these, never a token."""

from typing import Annotated

from fastapi import APIRouter, Depends

from libs.wire.ids import AccessTokenId
from services.api.access import Caller
from services.api.access_tokens.schemas import AccessTokenView, MadeAccessTokenView, NewAccessTokenBody
from services.api.access_tokens.service import AccessTokens
from services.api.auth import SignedIn
from services.api.fields import Page
from services.api.problems import PROBLEMS


def router(tokens: AccessTokens, in_person: SignedIn) -> APIRouter:
    """`in_person`: a session, as a person has it."""
    routes = APIRouter(prefix="/v1/access-tokens", tags=["access-tokens"], responses=PROBLEMS)

    @routes.get("", summary="List your access tokens")
    async def mine(caller: Annotated[Caller, Depends(in_person)]) -> Page[AccessTokenView]:
        """Those that have not ended; newest first, all on one page."""
        return Page(items=tuple(await tokens.mine(caller)))

    @routes.post("", status_code=201, summary="Make an access token")
    async def make(caller: Annotated[Caller, Depends(in_person)], body: NewAccessTokenBody) -> MadeAccessTokenView:
        """It is shown once. It does what you may do and its scopes name, until its end."""
        return await tokens.make(caller, body)

    @routes.delete("/{token}", status_code=204, summary="End an access token")
    async def end(caller: Annotated[Caller, Depends(in_person)], token: AccessTokenId) -> None:
        """From the next request on."""
        await tokens.end(caller, token)

    return routes
