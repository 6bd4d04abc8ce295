"""`/v1/resources`: the machines."""

from typing import Annotated

from fastapi import APIRouter, Depends

from libs.wire.ids import ResourceId
from services.api.access import Caller
from services.api.accounts.schemas import AccountBrief
from services.api.accounts.service import Accounts
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Page
from services.api.problems import PROBLEMS
from services.api.resources.handing import HandingOver
from services.api.resources.looking import Looking
from services.api.resources.schemas import HandOverBody, ResourceView
from services.api.resources.service import Resources


def router(
    resources: Resources, accounts: Accounts, handing: HandingOver, looking: Looking, signed_in: SignedIn
) -> APIRouter:
    routes = APIRouter(prefix="/v1/resources", tags=["resources"], responses=PROBLEMS)

    @routes.get("", summary="List resources")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)], limit: Limit = 50, cursor: Cursor = None
    ) -> Page[ResourceView]:
        """Those that you may see, newest first."""
        return await resources.page(caller, limit=limit, cursor=cursor)

    @routes.get("/{resource}", summary="Show a resource")
    async def one(caller: Annotated[Caller, Depends(signed_in)], resource: ResourceId) -> ResourceView:
        return await resources.one(caller, resource)

    @routes.post("/{resource}/owner", summary="Hand a resource over")
    async def hand_over(
        caller: Annotated[Caller, Depends(signed_in)], resource: ResourceId, body: HandOverBody
    ) -> ResourceView:
        """To another owner. For its owner and administrators; who owned it keeps only what is shared with them."""
        await handing.hand_over(caller, resource, body)
        return await resources.one(caller, resource)

    @routes.get("/{resource}/accounts", summary="List a resource's accounts")
    async def of_resource(
        caller: Annotated[Caller, Depends(signed_in)],
        resource: ResourceId,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[AccountBrief]:
        """By name."""
        return await accounts.page(caller, resource, limit=limit, cursor=cursor)

    @routes.post("/{resource}/discover", summary="Look at a resource's accounts again", status_code=202)
    async def discover(caller: Annotated[Caller, Depends(signed_in)], resource: ResourceId) -> ResourceView:
        """Its agent looks at its next contact, within a second where it holds a poll, and `observed_at` moves on. It
        also looks by itself: at its first start, when the account files change, and once a day.
        """
        await looking.look_again(caller, resource)
        return await resources.one(caller, resource)

    return routes
