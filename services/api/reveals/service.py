"""Reveals: one question to the scheduler, which audits, spends the budget and seals to the person's own key.

The gateway sees boxes that it cannot open. Only for a browser without scripts it makes the key itself, for that one
request, and the audit says so. When the scheduler is away nothing is kept and nothing is revealed later: the request is
good for as long as its caller waits.
"""

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.store.shares import Level
from libs.vault.seal import revealed
from libs.wire.encoding import from_base64
from libs.wire.events import RevealAsked
from libs.wire.requests import RevealContent, Revealed, RevealedVersion
from libs.wire.seal import open_sealed
from libs.wire.secret import Secret
from services.api.access import Access, Caller, reveals
from services.api.accounts.schemas import RevealBody
from services.api.audit.recording import Recorder
from services.api.calls import Calls
from services.api.errors import AwayError

_SECONDS = 8.0


class Opened(NamedTuple):
    """A candidate that the gateway opened."""

    version: RevealedVersion
    password: Secret


class Reveals:
    """Asks for what may be live."""

    def __init__(self, access: Access, calls: Calls, recorder: Recorder) -> None:
        self._access, self._calls, self._recorder = access, calls, recorder

    async def reveal(self, caller: Caller, key: str, body: RevealBody) -> Revealed:
        """Every candidate, sealed to the key in `body`.

        Raises:
            NotThereError, NotAllowedError: as `Access.account` does; a reveal is a use.
            ConfirmFirstError: as `access.reveals` does.
            AwayError: `reveal_unavailable`.
            DeclinedError: the scheduler said no, as when the budget is spent.
        """
        content = RevealContent(account=key, recipient=from_base64(body.recipient), reason=body.reason)
        return await self._ask(caller, content)

    async def opened_here(self, caller: Caller, key: str, reason: str) -> list[Opened]:
        """Every candidate, opened by the gateway, for a person whose browser can make no key.

        Raises:
            NotThereError, NotAllowedError, ConfirmFirstError, AwayError, DeclinedError: as `reveal` does.
        """
        private = X25519PrivateKey.generate()
        recipient = private.public_key().public_bytes_raw()
        found = await self._ask(
            caller, RevealContent(account=key, recipient=recipient, reason=reason, gateway_key=True)
        )
        return [
            Opened(each, open_sealed(each.sealed, revealed(found.account, each.generation), private))
            for each in found.versions
        ]

    async def _ask(self, caller: Caller, content: RevealContent) -> Revealed:
        account, resource = await self._access.account(caller, content.account, Level.USE)
        reveals(caller)
        person = caller.to_person()
        sealed_to = "the gateway" if content.gateway_key else "the person"
        await self._recorder.record(
            "reveal.requested",
            person,
            account=account.id,
            resource=resource.id,
            detail={"reason": content.reason, "sealed_to": sealed_to},
        )
        sentence = "The scheduler does not answer, so nothing can be revealed now. Nothing was stored; ask again."
        return await self._calls.ask(
            RevealAsked,
            content,
            Revealed,
            person=person,
            resource=resource.id,
            seconds=_SECONDS,
            away=AwayError(sentence, "reveal_unavailable"),
        )
