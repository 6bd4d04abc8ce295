"""`/v1/incidents`: what somebody should look at soon."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Name, Page
from services.api.incidents.schemas import CloseBody, IncidentView
from services.api.incidents.service import Incidents
from services.api.problems import PROBLEMS


def router(incidents: Incidents, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/incidents", tags=["incidents"], responses=PROBLEMS)

    @routes.get("", summary="List incidents")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)], limit: Limit = 50, cursor: Cursor = None
    ) -> Page[IncidentView]:
        """Administrators see all, others those of their packages; newest first."""
        return await incidents.page(caller, limit=limit, cursor=cursor)

    @routes.post("/{incident}/close", summary="Close an incident")
    async def close(caller: Annotated[Caller, Depends(signed_in)], incident: Name, body: CloseBody) -> IncidentView:
        """It stays on record, with who closed it and why. Safe to repeat: the first reason stays."""
        return await incidents.close(caller, incident, body)

    return routes
