"""Renewal: the gateway passes on what the agent's present key says of its next keys; the bundler alone certifies."""

from collections.abc import Callable

from libs.wire.agent_api import RenewAnswer, RenewRequest
from libs.wire.events import RenewAsked
from libs.wire.requests import RenewContent, Renewed
from services.api.calls import Calls
from services.api.errors import AgentRefusedError, AwayError, DeclinedError

_SECONDS = 10.0


class Renewal:
    """Passes renewals on. `refused` is told the code of each refusal."""

    def __init__(self, calls: Calls, refused: Callable[[str], None]) -> None:
        self._calls, self._refused = calls, refused

    async def renew(self, body: RenewRequest, address: str) -> RenewAnswer:
        """The certificate over the agent's next keys.

        Raises:
            AgentRefusedError: with the bundler's own code, such as `renewal_invalid`.
            AwayError: the bundler, or its store, does not answer.
        """
        content = RenewContent(agent=body.agent, renewal=body.renewal, address=address)
        away = AwayError("The bundler does not answer, so no certificate is renewed now.", "bundler_away", seconds=10)
        try:
            found = await self._calls.ask(RenewAsked, content, Renewed, person=None, seconds=_SECONDS, away=away)
        except DeclinedError as error:
            self._refused(error.stable)
            if error.again:
                raise AwayError(error.sentence, error.stable, seconds=10) from error
            raise AgentRefusedError(error.sentence, error.stable) from error
        return RenewAnswer(certificate=found.certificate)
