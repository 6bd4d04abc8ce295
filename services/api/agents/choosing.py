"""Choosing one of two machines that use one identity: a signed request on the desk, by the run that a person names."""

from libs.store.certificates import Certificates
from libs.store.errors import OutcomeUnknownError
from libs.store.requests import RequestDocument, Requests
from libs.store.resources import Resources
from libs.store.runs import RunsDocuments
from libs.store.schema import CollectionName
from libs.wire.events import AgentChooseRequested
from libs.wire.ids import Noun, new_id
from libs.wire.requests import ChooseContent
from services.api.access import Caller, administrator
from services.api.agents.schemas import AgentView, ChooseBody
from services.api.agents.views import AgentFacts
from services.api.audit.recording import Recorder
from services.api.errors import ConflictError, NotThereError
from services.api.nudge import Nudge
from services.api.signing import FOR_GOOD, Signer


class Choosing:
    """Puts the request on the desk."""

    def __init__(
        self,
        requests: Requests,
        certificates: Certificates,
        resources: Resources,
        runs: RunsDocuments,
        facts: AgentFacts,
        *,
        signer: Signer,
        recorder: Recorder,
        nudge: Nudge,
    ) -> None:
        self._requests, self._certificates, self._resources = requests, certificates, resources
        self._runs, self._facts = runs, facts
        self._signer, self._recorder, self._nudge = signer, recorder, nudge

    async def choose(self, caller: Caller, key: str, body: ChooseBody) -> AgentView:
        """The agent, whose chosen machine renews its keys next. May be asked again, also with another choice.

        Raises:
            NotAllowedError: the person is no administrator.
            NotThereError: no agent of this name was ever certified, or it was heard in no such run.
            ConflictError: `not_quarantined`.
        """
        administrator(caller)
        certificates, known = await self._certificates.of_agent(key), await self._runs.get(key)
        if not certificates:
            raise NotThereError("agent")
        if known is None or known.fork is None:
            raise ConflictError("This agent is on one machine; there is nothing to choose.", "not_quarantined")
        if body.run not in {each.run for each in known.sides}:
            raise NotThereError("run of this agent")
        resource, person = certificates[0].resource, caller.to_person()
        detail = {"agent": key, "run": body.run}
        await self._recorder.record(
            "agent.choose_requested", person, resource=resource, reason=body.reason, detail=detail
        )
        content = ChooseContent(agent=key, fork=known.fork, run=body.run, reason=body.reason)
        name = new_id(Noun.REQUEST, self._signer.entropy)
        request, signed = self._signer.request(content, name=name, person=person, lifetime=FOR_GOOD, resource=resource)
        document = RequestDocument(id=name, signed=signed, created_at=request.issued_at, requester=caller.id)
        try:
            await self._requests.insert(document, AgentChooseRequested(request=name).envelope(request.issued_at))
        except OutcomeUnknownError:
            if await self._requests.get(name) is None:
                raise
        self._nudge(CollectionName.REQUESTS, name)
        return await self._facts.one(certificates[0], await self._resources.get(resource))
