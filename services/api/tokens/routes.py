"""`/v1/tokens`: what the packages that were built still admit."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Name, Page
from services.api.problems import PROBLEMS
from services.api.tokens.schemas import TokenView
from services.api.tokens.service import Tokens


def router(tokens: Tokens, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/tokens", tags=["tokens"], responses=PROBLEMS)

    @routes.get("", summary="List enrolment tokens")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)], limit: Limit = 50, cursor: Cursor = None
    ) -> Page[TokenView]:
        """Administrators see all, others those of their packages; newest first."""
        return await tokens.page(caller, limit=limit, cursor=cursor)

    @routes.post("/{token}/revoke", summary="Revoke an enrolment token")
    async def revoke(caller: Annotated[Caller, Depends(signed_in)], token: Name) -> TokenView:
        """It admits nobody from now on; agents that enrolled by it stay. Safe to repeat."""
        return await tokens.revoke(caller, token)

    return routes
