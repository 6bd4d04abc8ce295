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
from services.api.resources.schemas import HandOverBody, ResourceView
from services.api.resources.service import Resources


def router(resources: Resources, accounts: Accounts, handing: HandingOver, signed_in: SignedIn) -> APIRouter:
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

    return routes
