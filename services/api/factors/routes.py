"""`/v1/second-factor`: one's own, and what an administrator does for who lost theirs."""

from typing import Annotated

from fastapi import APIRouter, Depends

from libs.wire.ids import UserId
from services.api.access import Caller
from services.api.auth import SignedIn
from services.api.factors.own import OwnFactor
from services.api.factors.schemas import BeginBody, BegunView, FirstCodeBody, RecoveryView, SecondFactorView
from services.api.problems import PROBLEMS


def router(own: OwnFactor, entering: SignedIn, signed_in: SignedIn) -> APIRouter:
    """`entering`: a person who has signed in and may still lack the second factor that this server wants."""
    routes = APIRouter(tags=["second-factor"], responses=PROBLEMS)

    @routes.get("/v1/second-factor", summary="Show your second factor")
    async def show(caller: Annotated[Caller, Depends(entering)]) -> SecondFactorView:
        return await own.show(caller)

    @routes.post("/v1/second-factor", status_code=201, summary="Begin a second factor")
    async def begin(caller: Annotated[Caller, Depends(entering)], body: BeginBody) -> BegunView:
        """The secret is shown once. It counts when a first code of it was right; until then the old one does."""
        return await own.begin(caller, body)

    @routes.post("/v1/second-factor/confirm", summary="Confirm a second factor")
    async def confirm(caller: Annotated[Caller, Depends(entering)], body: FirstCodeBody) -> RecoveryView:
        """By its first code. Your other sessions end; the recovery codes are shown once."""
        return await own.confirm(caller, body)

    @routes.post("/v1/second-factor/remove", status_code=204, summary="End your second factor")
    async def remove(caller: Annotated[Caller, Depends(signed_in)], body: BeginBody) -> None:
        """Refused where this server wants everybody to have one. Your other sessions end."""
        await own.remove(caller, body)

    @routes.delete("/v1/users/{user}/second-factor", status_code=204, summary="End a person's second factor")
    async def take_away(caller: Annotated[Caller, Depends(signed_in)], user: UserId) -> None:
        """For who lost phone and recovery codes. Administrators only; the person's sessions end."""
        await own.take_away(caller, user)

    return routes
