"""Reveal: every password that may be live, opened and sealed again to the key that the asking person's browser or
command made.

The audit record is durable before an answer leaves (invariant I8), and a budget bounds what a gateway that was taken
over could ask for: so many reveals per person and for the whole in an hour.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from libs.domain.accounts import Account
from libs.domain.deadlines import HOUR
from libs.domain.errors import RuleError
from libs.domain.state import Version
from libs.domain.versions import may_be_live
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.budgets import Budgets
from libs.vault.open import Opener
from libs.vault.seal import revealed
from libs.wire.envelope import Envelope
from libs.wire.events import Answered, RevealAsked
from libs.wire.requests import Declined, Person, Request, RevealContent, Revealed, RevealedVersion
from libs.wire.seal import seal
from libs.wire.sign import Signed
from services.scheduler.records import Records
from services.scheduler.trusted import Gateway

PER_PERSON = 60
FOR_ALL = 600
SHOWN = 256
"""Candidates in one answer, newest first: as many as an envelope can carry. A host that was rolled back may be live
with any of them.
"""


@dataclass(frozen=True)
class Reveals:
    """Answers reveals."""

    accounts: Accounts
    budgets: Budgets
    gateway: Gateway
    opener: Opener
    records: Records
    clock: Clock
    per_person: int = PER_PERSON
    for_all: int = FOR_ALL

    async def asked(self, envelope: Envelope) -> Envelope:
        """The answer to `rpc.reveal`.

        Raises:
            UnreadableError: another type, version or shape.
        """
        answer = await self.reveal(RevealAsked.read(envelope).signed)
        if isinstance(answer, Declined):
            return Answered(declined=answer.model_dump(mode="json")).envelope(self.clock.now())
        return Answered(answer=answer.model_dump(mode="json")).envelope(self.clock.now())

    async def reveal(self, signed: Signed) -> Revealed | Declined:
        """The candidates, sealed to the asking person's key; or why not."""
        try:
            request = self.gateway.signed(signed)
        except RuleError as error:
            return Declined(code=error.reason.value, sentence="The request's signature was not the gateway's.")
        content, person = request.content, request.person
        if not isinstance(content, RevealContent) or person is None:
            return Declined(code="request_not_trusted", sentence="This is not a person's request for a reveal.")
        if self.clock.now() > request.deadline:
            return Declined(code="request_too_late", sentence="The request's time was over. Ask again.", retryable=True)
        account = await self.accounts.get(content.account)
        if account is None:
            return Declined(code="account_unknown", sentence="The vault has no such account.")
        versions = may_be_live(account.rotation)[:SHOWN]
        if not versions:
            return Declined(
                code="nothing_to_reveal", sentence="Keyturn has never set this password, so it does not know it."
            )
        return await self._open(request, content, person, account, versions)

    async def _open(
        self, request: Request, content: RevealContent, person: Person, account: Account, versions: tuple[Version, ...]
    ) -> Revealed | Declined:
        now = self.clock.now()
        hour = now - now % HOUR
        if not await self.budgets.spend(f"reveal:{person.id}", hour, self.per_person, until=hour + HOUR):
            await self.records.reveal_declined(request, content, person, account, "budget_spent")
            return Declined(
                code="reveal_budget_spent",
                sentence=f"{person.name} revealed {self.per_person} passwords this hour; the next hour allows more.",
                retryable=True,
            )
        if not await self.budgets.spend("reveal:all", hour, self.for_all, until=hour + HOUR):
            await self.records.reveal_declined(request, content, person, account, "budget_spent")
            return Declined(
                code="reveal_budget_spent",
                sentence=f"{self.for_all} passwords were revealed this hour by all; the next hour allows more.",
                retryable=True,
            )
        await self.records.revealed(request, content, person, account, [str(v.generation) for v in versions])
        key = X25519PublicKey.from_public_bytes(content.recipient)
        return Revealed(
            account=account.id,
            status=account.rotation.status.value,
            versions=tuple(self._sealed(account, version, key) for version in versions),
        )

    def _sealed(self, account: Account, version: Version, key: X25519PublicKey) -> RevealedVersion:
        if version.sealed is None:
            raise ValueError(f"version {version.generation} has no sealed password")
        generation = str(version.generation)
        secret = self.opener.at_rest(version.sealed, account.id, generation)
        return RevealedVersion(
            generation=generation,
            state=version.state.value,
            created_at=version.created_at,
            first_offered_at=version.offered_at,
            proven_at=version.proven_at,
            sealed=seal(secret, revealed(account.id, generation), [key]),
        )
