"""Enrolment: the gateway hashes the token, names the owner, and asks the bundler, who alone admits."""

import hashlib
from collections.abc import Callable

from libs.store.users import Users
from libs.wire.agent_api import EnrolAnswer, EnrolRequest
from libs.wire.events import EnrolAsked
from libs.wire.requests import EnrolContent, Enrolled
from services.api.calls import Calls
from services.api.errors import AgentRefusedError, ApprovalPendingError, AwayError, DeclinedError

_SECONDS = 10.0


class Enrolment:
    """Passes enrolments on. `refused` is told the code of each refusal."""

    def __init__(self, users: Users, calls: Calls, refused: Callable[[str], None]) -> None:
        self._users, self._calls, self._refused = users, calls, refused

    async def enrol(self, body: EnrolRequest, address: str) -> EnrolAnswer:
        """The agent's certificate. The same key may ask again with the same token when an answer was lost.

        Raises:
            ApprovalPendingError: a person has not decided yet.
            AgentRefusedError: `user_name_unknown`, or the bundler's own code, such as `token_used`.
            AwayError: the bundler, or its store, does not answer.
        """
        owner = await self._users.named(body.user_name)
        if owner is None or owner.disabled:
            self._refused("user_name_unknown")
            sentence = f"This server has no user named {body.user_name}. Correct UserName in agent.conf."
            raise AgentRefusedError(sentence, "user_name_unknown")
        content = EnrolContent(
            token=hashlib.sha256(body.token.encode()).hexdigest(),
            csr=body.csr,
            owner=owner.id,
            owner_name=owner.name,
            resource_name=body.resource_name,
            platform=body.platform,
            host=body.host,
            address=address,
            agent_version=body.agent_version,
        )
        away = AwayError("The bundler does not answer, so no agent can be admitted now.", "bundler_away", seconds=10)
        try:
            found = await self._calls.ask(EnrolAsked, content, Enrolled, person=None, seconds=_SECONDS, away=away)
        except DeclinedError as error:
            self._refused(error.stable)
            if error.stable == ApprovalPendingError.code:
                raise ApprovalPendingError(error.sentence) from error
            if error.again:
                raise AwayError(error.sentence, error.stable, seconds=10) from error
            raise AgentRefusedError(error.sentence, error.stable) from error
        return EnrolAnswer(agent=found.agent, resource=found.resource, certificate=found.certificate)
