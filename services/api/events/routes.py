"""`GET /v1/events`: server-sent events, identifiers and revisions only."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.events.service import Events
from services.api.problems import PROBLEMS


def router(events: Events, signed_in: SignedIn) -> APIRouter:
    routes = APIRouter(prefix="/v1/events", tags=["events"], responses=PROBLEMS)

    @routes.get("", summary="Hear of changes", response_class=StreamingResponse)
    async def stream(caller: Annotated[Caller, Depends(signed_in)]) -> StreamingResponse:
        """`event: task | account | resource`, `data: {"id": …, "rev": …}`; a comment every 15 seconds.

        A change may be missed: after `event: again`, and after any reconnect, read again what you show.
        """
        return StreamingResponse(
            events.stream(caller), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    return routes
