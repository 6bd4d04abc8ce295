"""An agent leaves: its last word goes on the desk. It is out as soon as the scheduler has believed that word.

The request has a name of its own: one that the scheduler does not trust must not stand in the way of a revocation.
"""

from collections.abc import Callable

from libs.pki.check import AgentIdentity
from libs.store.errors import OutcomeUnknownError
from libs.store.requests import RequestDocument, Requests
from libs.store.schema import CollectionName
from libs.wire.agent_api import LeaveAnswer, LeaveRequest
from libs.wire.events import AgentLeaveReported
from libs.wire.ids import Noun, derived_id
from libs.wire.leaving import read_leaving
from libs.wire.requests import LeaveContent
from libs.wire.sign import BadSignatureError
from services.api.errors import InvalidError
from services.api.nudge import Nudge
from services.api.signing import FOR_GOOD, Signer


class Leaving:
    """Puts the request on the desk. `shut` ends the agent's held polls at this gateway."""

    def __init__(self, requests: Requests, *, signer: Signer, nudge: Nudge, shut: Callable[[str], None]) -> None:
        self._requests, self._signer, self._nudge, self._shut = requests, signer, nudge, shut

    async def leave(self, identity: AgentIdentity, body: LeaveRequest) -> LeaveAnswer:
        """The agent is let go, durably; safe to repeat.

        Raises:
            InvalidError: its word is not signed by it, or is another's; nothing is stored then.
        """
        try:
            read_leaving(body.leaving, identity.agent, identity.resource, identity.public_key)
        except BadSignatureError as error:
            sentence = "It is no last word that this agent signed."
            raise InvalidError("leaving", sentence, "leaving_invalid") from error
        name = derived_id(Noun.REQUEST, "leave_agent", identity.agent)
        content = LeaveContent(agent=identity.agent, leaving=body.leaving)
        request, signed = self._signer.request(
            content, name=name, person=None, lifetime=FOR_GOOD, resource=identity.resource
        )
        document = RequestDocument(id=name, signed=signed, created_at=request.issued_at)
        try:
            await self._requests.insert(document, AgentLeaveReported(request=name).envelope(request.issued_at))
        except OutcomeUnknownError:
            if await self._requests.get(name) is None:
                raise
        self._nudge(CollectionName.REQUESTS, name)
        self._shut(identity.agent)
        return LeaveAnswer(left=True)
