"""`/agent/v1`: what agents call (`libs.wire.agent_api`). The held poll is dispatched before the framework."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from libs.wire.agent_api import (
    EnrolAnswer,
    EnrolRequest,
    FetchAnswer,
    FetchRequest,
    LeaveAnswer,
    LeaveRequest,
    ObserveAnswer,
    ObserveRequest,
    RenewAnswer,
    RenewRequest,
    ReportAnswer,
    ReportRequest,
    RuntimeAnswer,
    RuntimeRequest,
    SessionAnswer,
    SessionRequest,
)
from libs.wire.notice import Notices
from services.api.agent_door.enrolment import Enrolment
from services.api.agent_door.leaving import Leaving
from services.api.agent_door.noticeboard import Noticeboard
from services.api.agent_door.offers import Offers
from services.api.agent_door.renewal import Renewal
from services.api.agent_door.service import AgentDoor
from services.api.agent_door.signed import SignedRequests
from services.api.auth import address
from services.api.problems import PROBLEMS


def router(
    door: AgentDoor,
    enrolment: Enrolment,
    renewal: Renewal,
    leaving: Leaving,
    *,
    signed: SignedRequests,
    board: Noticeboard,
    offers: Offers,
) -> APIRouter:
    routes = APIRouter(prefix="/agent/v1", tags=["agent"], responses=PROBLEMS)

    @routes.post("/enrol", summary="Admit an agent")
    async def enrol(request: Request, body: EnrolRequest) -> EnrolAnswer:
        """Token and certificate request against a certificate."""
        return await enrolment.enrol(body, address(request))

    @routes.post("/session", summary="Open a session")
    async def session(request: Request, body: SessionRequest) -> SessionAnswer:
        """Signed; a contact. The token is good for polls alone."""
        admitted = await signed.admit(request, body)
        return await door.session(admitted, body, address(request))

    @routes.post("/fetch", summary="Fetch jobs")
    async def fetch(request: Request, body: FetchRequest) -> FetchAnswer:
        """Signed; this fetch is the offer."""
        admitted = await signed.admit(request, body)
        return await door.fetch(admitted)

    @routes.post("/report", summary="Report results")
    async def report(request: Request, body: ReportRequest) -> ReportAnswer:
        """Signed; safe to repeat."""
        admitted = await signed.admit(request, body)
        return await door.report(admitted.identity, body)

    @routes.post("/observe", summary="Send an observation")
    async def observe(request: Request, body: ObserveRequest) -> ObserveAnswer:
        """Signed; safe to repeat."""
        admitted = await signed.admit(request, body)
        await door.observe(admitted, body)
        return ObserveAnswer(stored=True)

    @routes.post("/renew", summary="Renew an agent's certificate")
    async def renew(request: Request, body: RenewRequest) -> RenewAnswer:
        """Signed, also by the key of a certificate that has expired; safe to repeat."""
        await signed.admit(request, body, expired=True)
        return await renewal.renew(body, address(request))

    @routes.post("/leave", summary="Let an agent go")
    async def leave(request: Request, body: LeaveRequest) -> LeaveAnswer:
        """Signed; nothing of the agent counts once its last word was believed. Safe to repeat."""
        admitted = await signed.admit(request, body)
        return await leaving.leave(admitted.identity, body)

    @routes.post("/runtime", summary="Read a part of a newer program")
    async def runtime(request: Request, body: RuntimeRequest) -> RuntimeAnswer:
        """Signed; safe to repeat, and to go on with after a cut."""
        await signed.admit(request, body)
        return RuntimeAnswer(piece=await offers.piece(body.runtime, body.offset))

    @routes.get("/notices", summary="Read notices")
    async def notices(after: Annotated[int, Query(ge=0, lt=2**53)] = 0) -> Notices:
        """For anybody: they stand for themselves, and an agent may need them before it can trust this server."""
        return board.after(after)

    return routes
