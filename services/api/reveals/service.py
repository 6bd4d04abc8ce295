"""Reveals: one question to the scheduler, which audits, spends the budget and seals to the person's own key.

The gateway sees boxes that it cannot open. When the scheduler is away nothing is kept and nothing is revealed later:
the request is good for as long as its caller waits.
"""

from libs.wire.encoding import from_base64
from libs.wire.events import RevealAsked
from libs.wire.requests import RevealContent, Revealed
from services.api.access import Access, Caller
from services.api.accounts.schemas import RevealBody
from services.api.audit.recording import Recorder
from services.api.calls import Calls
from services.api.errors import AwayError

_SECONDS = 8.0


class Reveals:
    """Asks for what may be live."""

    def __init__(self, access: Access, calls: Calls, recorder: Recorder) -> None:
        self._access, self._calls, self._recorder = access, calls, recorder

    async def reveal(self, caller: Caller, key: str, body: RevealBody) -> Revealed:
        """Every candidate, sealed to the key in `body`.

        Raises:
            NotThereError: the account is not there, or on somebody else's resource.
            AwayError: `reveal_unavailable`.
            DeclinedError: the scheduler said no, as when the budget is spent.
        """
        account, resource = await self._access.account(caller, key)
        person = caller.to_person()
        await self._recorder.record(
            "reveal.requested", person, account=account.id, resource=resource.id, detail={"reason": body.reason}
        )
        sentence = "The scheduler does not answer, so nothing can be revealed now. Nothing was stored; ask again."
        return await self._calls.ask(
            RevealAsked,
            RevealContent(account=account.id, recipient=from_base64(body.recipient), reason=body.reason),
            Revealed,
            person=person,
            resource=resource.id,
            seconds=_SECONDS,
            away=AwayError(sentence, "reveal_unavailable"),
        )
