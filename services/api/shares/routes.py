"""`/v1/shares`: what owners share."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from libs.wire.ids import AccountId, ResourceId, ShareId
from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.errors import InvalidError
from services.api.fields import Page
from services.api.problems import PROBLEMS
from services.api.shares.schemas import ShareBody, ShareView
from services.api.shares.service import Shares


def router(shares: Shares, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/shares", tags=["shares"], responses=PROBLEMS)

    @routes.get("", summary="List the shares of a resource or an account")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)],
        resource: Annotated[ResourceId | None, Query(description="Of this resource and of its accounts.")] = None,
        account: Annotated[AccountId | None, Query(description="Of this account alone.")] = None,
    ) -> Page[ShareView]:
        """For who manages it, administrators and auditors; oldest first, all on one page."""
        if resource is not None and account is None:
            return await shares.of_resource(caller, resource)
        if account is not None and resource is None:
            return await shares.of_account(caller, account)
        raise InvalidError("resource", "Give resource or account, one of the two.")

    @routes.post("", status_code=201, summary="Share a resource or an account")
    async def give(caller: Annotated[Caller, Depends(signed_in)], body: ShareBody) -> ShareView:
        """For who manages it. A share that is there already gets the new level."""
        return await shares.give(caller, body)

    @routes.delete("/{share}", summary="End a share")
    async def end(caller: Annotated[Caller, Depends(signed_in)], share: ShareId) -> ShareView:
        """For who manages what is shared; it counts from the next request on."""
        return await shares.end(caller, share)

    return routes
