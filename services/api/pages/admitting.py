"""What is decided of agents, machines that wait, packages and incidents: a form each that says what it will do."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from libs.wire.ids import ResourceId
from services.api.access import administrator
from services.api.agents.revoking import Revoking
from services.api.agents.schemas import ChooseBody, RevokeBody
from services.api.enrolments.service import Enrolments
from services.api.errors import InvalidError, NotThereError
from services.api.fields import Name
from services.api.incidents.schemas import CloseBody
from services.api.incidents.service import Incidents
from services.api.pages.agents import Registry
from services.api.pages.refusals import Refusal, refusal_of, refused
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import Posted, Posts, Visitor, Visits
from services.api.resources.service import Resources
from services.api.tokens.service import Tokens
from services.api.tokens.words import admits

AGENTS = "/admin/agents"


def enrolments(pages: Pages, known: Enrolments, see: Visits, post: Posts) -> APIRouter:
    """A machine that waits for a person."""
    routes = APIRouter(prefix="/admin/enrolments")

    async def form(visitor: Visitor, key: str, refusal: Refusal | None = None) -> Response:
        return await pages.show(
            visitor, "admit.html", enrolment=await known.one(visitor.caller, key), **refused(refusal)
        )

    @routes.get("/{enrolment}")
    async def ask(visitor: Annotated[Visitor, Depends(see)], enrolment: Name) -> Response:
        return await form(visitor, enrolment)

    @routes.post("/{enrolment}")
    async def settle(posted: Annotated[Posted, Depends(post)], enrolment: Name) -> Response:
        await known.one(posted.visitor.caller, enrolment)
        decision = posted.text("decision")
        if decision not in {"approve", "deny"}:
            raise InvalidError("decision", "Say whether the machine is let in or kept out. Nothing was decided.")
        refusal = await refusal_of(known.settle(posted.visitor.caller, enrolment, approve=decision == "approve"))
        return go(AGENTS) if refusal is None else await form(posted.visitor, enrolment, refusal)

    return routes


def tokens(pages: Pages, known: Tokens, see: Visits, post: Posts) -> APIRouter:
    """What a package still admits."""
    routes = APIRouter(prefix="/admin/tokens")

    async def form(visitor: Visitor, key: str, refusal: Refusal | None = None) -> Response:
        token = await known.one(visitor.caller, key)
        sentence = admits(token, pages.now())
        return await pages.show(visitor, "revoke_token.html", token=token, sentence=sentence, **refused(refusal))

    @routes.get("/{token}/revoke")
    async def ask(visitor: Annotated[Visitor, Depends(see)], token: Name) -> Response:
        return await form(visitor, token)

    @routes.post("/{token}/revoke")
    async def revoke(posted: Annotated[Posted, Depends(post)], token: Name) -> Response:
        refusal = await refusal_of(known.revoke(posted.visitor.caller, token))
        return go(AGENTS) if refusal is None else await form(posted.visitor, token, refusal)

    return routes


def incidents(pages: Pages, known: Incidents, see: Visits, post: Posts) -> APIRouter:
    """What somebody looked at."""
    routes = APIRouter(prefix="/admin/incidents")

    async def form(visitor: Visitor, key: str, refusal: Refusal | None = None, reason: str = "") -> Response:
        incident = await known.one(visitor.caller, key)
        typed = {"reason": reason}
        return await pages.show(visitor, "close_incident.html", incident=incident, typed=typed, **refused(refusal))

    @routes.get("/{incident}/close")
    async def ask(visitor: Annotated[Visitor, Depends(see)], incident: Name) -> Response:
        return await form(visitor, incident, reason=visitor.typed.get("reason", ""))

    @routes.post("/{incident}/close")
    async def close(posted: Annotated[Posted, Depends(post)], incident: Name) -> Response:
        async def do() -> None:
            await known.close(posted.visitor.caller, incident, CloseBody(reason=posted.text("reason").strip()))

        refusal = await refusal_of(do())
        return go(AGENTS) if refusal is None else await form(posted.visitor, incident, refusal, posted.text("reason"))

    return routes


def agents(pages: Pages, resources: Resources, revoking: Revoking, see: Visits, post: Posts) -> APIRouter:
    """An agent that shall not call any more, by its machine."""
    routes = APIRouter(prefix="/admin/agents")

    async def form(visitor: Visitor, key: str, refusal: Refusal | None = None, reason: str = "") -> Response:
        administrator(visitor.caller)
        resource = await resources.one(visitor.caller, key)
        typed = {"reason": reason}
        return await pages.show(visitor, "revoke_agent.html", resource=resource, typed=typed, **refused(refusal))

    @routes.get("/{resource}/revoke")
    async def ask(visitor: Annotated[Visitor, Depends(see)], resource: ResourceId) -> Response:
        return await form(visitor, resource, reason=visitor.typed.get("reason", ""))

    @routes.post("/{resource}/revoke")
    async def revoke(posted: Annotated[Posted, Depends(post)], resource: ResourceId) -> Response:
        administrator(posted.visitor.caller)
        agent = (await resources.one(posted.visitor.caller, resource)).agent
        if agent is None:
            raise NotThereError("agent")

        async def do() -> None:
            await revoking.revoke(posted.visitor.caller, agent.id, RevokeBody(reason=posted.text("reason").strip()))

        refusal = await refusal_of(do())
        return go(AGENTS) if refusal is None else await form(posted.visitor, resource, refusal, posted.text("reason"))

    return routes


def machines(pages: Pages, resources: Resources, registry: Registry, see: Visits, post: Posts) -> APIRouter:
    """An identity that is on more than one machine."""
    routes = APIRouter(prefix="/admin/agents")

    async def form(
        visitor: Visitor, key: str, refusal: Refusal | None = None, typed: dict[str, str] | None = None
    ) -> Response:
        administrator(visitor.caller)
        resource, agent = await resources.one(visitor.caller, key), await registry.agents.of_resource(key)
        if not agent.machines:
            return go(AGENTS)  # it was settled meanwhile
        typed = {"run": "", "reason": "", **visitor.typed, **(typed or {})}
        return await pages.show(
            visitor, "choose_machine.html", resource=resource, agent=agent, typed=typed, **refused(refusal)
        )

    @routes.get("/{resource}/choose")
    async def ask(visitor: Annotated[Visitor, Depends(see)], resource: ResourceId) -> Response:
        return await form(visitor, resource)

    @routes.post("/{resource}/choose")
    async def choose(posted: Annotated[Posted, Depends(post)], resource: ResourceId) -> Response:
        caller, typed = posted.visitor.caller, {key: posted.text(key).strip() for key in ("run", "reason")}
        administrator(caller)
        await resources.one(caller, resource)
        agent = await registry.agents.of_resource(resource)

        async def do() -> None:
            await registry.choosing.choose(caller, agent.id, ChooseBody(**typed))

        refusal = await refusal_of(do())
        return go(AGENTS) if refusal is None else await form(posted.visitor, resource, refusal, typed)

    return routes
