"""Revoking an agent: one signed request on the desk. The gateway refuses the agent from that write on."""

from collections.abc import Callable

from libs.store.certificates import Certificates
from libs.store.errors import OutcomeUnknownError
from libs.store.requests import RequestDocument, Requests
from libs.store.resources import Resources
from libs.store.schema import CollectionName
from libs.wire.events import AgentRevokeRequested
from libs.wire.requests import RevokeAgentContent
from libs.wire.revocation import request_of
from services.api.access import Caller, administrator
from services.api.agents.schemas import AgentView, RevokeBody
from services.api.agents.views import AgentFacts
from services.api.audit.recording import Recorder
from services.api.errors import ConflictError, NotThereError
from services.api.nudge import Nudge
from services.api.signing import FOR_GOOD, Signer


class Revoking:
    """Puts the request on the desk. `shut` ends the agent's held polls at this gateway."""

    def __init__(
        self,
        requests: Requests,
        certificates: Certificates,
        resources: Resources,
        facts: AgentFacts,
        *,
        signer: Signer,
        recorder: Recorder,
        nudge: Nudge,
        shut: Callable[[str], None],
    ) -> None:
        self._requests, self._certificates, self._resources, self._facts = requests, certificates, resources, facts
        self._signer, self._recorder, self._nudge, self._shut = signer, recorder, nudge, shut

    async def revoke(self, caller: Caller, key: str, body: RevokeBody) -> AgentView:
        """The agent, revoked. Safe to repeat: the first reason stays.

        Raises:
            NotAllowedError: the person is no administrator.
            NotThereError: no agent of this name was ever certified.
            ConflictError: `revocation_not_trusted`.
        """
        administrator(caller)
        certificates = await self._certificates.of_agent(key)
        if not certificates:
            raise NotThereError("agent")
        resource = certificates[0].resource
        name = request_of(key)
        before = await self._requests.get(name)
        if before is None:
            person = caller.to_person()
            await self._recorder.record(
                "agent.revoke_requested", person, resource=resource, reason=body.reason, detail={"agent": key}
            )
            content = RevokeAgentContent(agent=key, reason=body.reason)
            request, signed = self._signer.request(
                content, name=name, person=person, lifetime=FOR_GOOD, resource=resource
            )
            document = RequestDocument(id=name, signed=signed, created_at=request.issued_at, requester=caller.id)
            event = AgentRevokeRequested(request=name).envelope(request.issued_at)
            try:
                await self._requests.insert(document, event)
            except OutcomeUnknownError:
                if await self._requests.get(name) is None:
                    raise
            self._nudge(CollectionName.REQUESTS, name)
        elif before.why is not None:
            sentence = (
                "The scheduler did not trust the request that revokes this agent, so it counts for nothing. Somebody"
                " may be writing to the store: tell your administrator of the server."
            )
            raise ConflictError(sentence, "revocation_not_trusted")
        self._shut(key)
        return await self._facts.one(certificates[0], await self._resources.get(resource))
