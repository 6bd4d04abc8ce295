"""`/v1/agents`: who calls in, and when last."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.api.access import Caller
from services.api.agents.schemas import AgentView
from services.api.agents.service import Agents
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Page
from services.api.problems import PROBLEMS


def router(agents: Agents, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/agents", tags=["agents"], responses=PROBLEMS)

    @routes.get("", summary="List agents")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)], limit: Limit = 50, cursor: Cursor = None
    ) -> Page[AgentView]:
        """Those of the resources that you may see, by when their resources were added, newest first."""
        return await agents.page(caller, limit=limit, cursor=cursor)

    return routes
