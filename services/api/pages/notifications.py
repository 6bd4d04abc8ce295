"""*Notifications*: what the signed-in person asked of agents, and what became of it. Nobody else sees it."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.api.fields import MAX_PAGE
from services.api.notifications.service import Notifications
from services.api.pages.rendering import Pages
from services.api.pages.visitors import Visitor, Visits


def router(pages: Pages, notifications: Notifications, see: Visits) -> APIRouter:
    routes = APIRouter()

    @routes.get("/notifications")
    async def mine(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        found = await notifications.mine(visitor.caller, limit=MAX_PAGE)
        return await pages.show(
            visitor,
            "notifications.html",
            mine=found,
            waiting=[each for each in found.items if each.open],
            earlier=[each for each in found.items if not each.open],
        )

    return routes
