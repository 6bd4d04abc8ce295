"""Renewal: the gateway passes on what the agent's present key says of its next keys; the bundler alone certifies.

In a roll-over of the agent authority the two may be restarted one after another. A certificate that this gateway would
have renewed again at once is not given out: the agent would go in a circle, and leave a certificate behind each time.
It asks again with the same keys, and gets the same certificate until the bundler issues by the authority in use.
"""

from collections.abc import Callable

from libs.pki.check import AgentAuthorities, Standing
from libs.pki.errors import NotTrustedError
from libs.wire.agent_api import RenewAnswer, RenewRequest
from libs.wire.events import RenewAsked
from libs.wire.requests import RenewContent, Renewed
from services.api.calls import Calls
from services.api.errors import AgentRefusedError, AwayError, DeclinedError

_SECONDS = 10.0


class Renewal:
    """Passes renewals on. `refused` is told the code of each refusal."""

    def __init__(self, calls: Calls, authorities: AgentAuthorities, refused: Callable[[str], None]) -> None:
        self._calls, self._authorities, self._refused = calls, authorities, refused

    async def renew(self, body: RenewRequest, address: str) -> RenewAnswer:
        """The certificate over the agent's next keys.

        Raises:
            AgentRefusedError: with the bundler's own code, such as `renewal_invalid`.
            AwayError: the bundler, or its store, does not answer; or it issues by another authority than ours in use.
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
        if not self._lasts(found.certificate):
            sentence = "The bundler issues by another authority than this gateway has in use: restart both."
            raise AwayError(sentence, "bundler_behind", seconds=60)
        return RenewAnswer(certificate=found.certificate)

    def _lasts(self, pem: bytes) -> bool:
        try:
            return self._authorities.check(pem).standing is Standing.IN_USE
        except NotTrustedError:
            return False
