"""`/v1/agents`: who calls in, when last, and who shall not any more."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.api.access import Caller
from services.api.agents.choosing import Choosing
from services.api.agents.revoking import Revoking
from services.api.agents.schemas import AgentView, ChooseBody, RevokeBody
from services.api.agents.service import Agents
from services.api.auth import SignedIn
from services.api.fields import Cursor, Limit, Name, Page
from services.api.problems import PROBLEMS


def router(agents: Agents, revoking: Revoking, choosing: Choosing, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/agents", tags=["agents"], responses=PROBLEMS)

    @routes.get("", summary="List agents")
    async def page(
        caller: Annotated[Caller, Depends(signed_in)], limit: Limit = 50, cursor: Cursor = None
    ) -> Page[AgentView]:
        """Those of the resources that you may see, by when their resources were added, newest first."""
        return await agents.page(caller, limit=limit, cursor=cursor)

    @routes.post("/{agent}/revoke", summary="Revoke an agent")
    async def revoke(caller: Annotated[Caller, Depends(signed_in)], agent: Name, body: RevokeBody) -> AgentView:
        """Nothing that it signs counts from now on, and nothing is sent to it; its machine can only enrol anew. Safe to
        repeat; for administrators.
        """
        return await revoking.revoke(caller, agent, body)

    @routes.post("/{agent}/choose", summary="Choose one of two machines")
    async def choose(caller: Annotated[Caller, Depends(signed_in)], agent: Name, body: ChooseBody) -> AgentView:
        """Of two machines that use one identity: this one gets other keys, and then the other one's are over. For
        administrators.
        """
        return await choosing.choose(caller, agent, body)

    return routes
