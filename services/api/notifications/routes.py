"""`GET /v1/notifications`: the bell."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.fields import Limit
from services.api.notifications.schemas import NotificationsView
from services.api.notifications.service import Notifications
from services.api.problems import PROBLEMS


def router(notifications: Notifications, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/notifications", tags=["notifications"], responses=PROBLEMS)

    @routes.get("", summary="What you have triggered")
    async def mine(caller: Annotated[Caller, Depends(signed_in)], limit: Limit = 20) -> NotificationsView:
        """Of the signed-in person only, administrators included."""
        return await notifications.mine(caller, limit=limit)

    return routes
