"""Enrolments that wait: a machine has used a token that admits nobody by itself, and asks again until a person decides.

    the token's use  ->  the audit record  ->  the enrolment's document, waiting
    a person's decision, signed by the gateway  ->  the audit record  ->  the document, approved or denied
    denied: the use goes back to the token.   approved: the machine's next try gets its certificate

What is certified is what the person saw: owner, name and kind come from the document, not from the later try. A
certificate for a resource that was known before carries the signed approval with it, because the scheduler believes
nobody else that a person wanted this.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from libs.store.audit import Audit, AuditRecord, Who
from libs.store.enrolments import EnrolmentDocument, Enrolments, EnrolmentState, enrolment_id
from libs.store.tokens import EnrolmentToken, Tokens, Use
from libs.wire.ids import Noun, derived_id
from libs.wire.requests import EnrolContent, Person, Request, SettleContent, Settled
from libs.wire.sign import Signed
from services.bundler.errors import Code, ContendedError, DeclinedError, PendingError
from services.bundler.tokens import RETRY_MS, given_back

_TRIES = 20


@dataclass(frozen=True)
class ApprovalQueue:
    """Machines on one side, people on the other."""

    tokens: Tokens
    enrolments: Enrolments
    audit: Audit
    now: Callable[[], int]  # Unix milliseconds

    async def decided_at(self, token: EnrolmentToken, key_hash: str) -> int | None:
        """When a person decided on this key's use of the token, in Unix milliseconds; None while nobody has."""
        if not token.waits:
            return None
        found = await self.enrolments.get(enrolment_id(token.id, key_hash))
        return None if found is None else found.decided_at

    async def approved(self, content: EnrolContent, token: EnrolmentToken, use: Use) -> EnrolmentDocument:
        """The enrolment of this use, once a person approved it.

        Raises:
            PendingError: nobody has decided yet.
            DeclinedError: `approval_denied`.
        """
        key = enrolment_id(token.id, use.key_hash)
        found = await self.enrolments.get(key)
        if found is None:
            await self._waits(key, content, token, use)
            raise PendingError(key)
        if found.state is EnrolmentState.WAITING:
            raise PendingError(key)
        if found.state is EnrolmentState.DENIED:
            await self._give_back(found)
            raise DeclinedError(
                Code.APPROVAL_DENIED,
                f"{found.decided_by_name} denied this machine. Download a new package if that was a mistake.",
            )
        return found

    async def settle(self, request: Request, content: SettleContent, signed: Signed) -> Settled:
        """What a person decided, once; a repeat of the same decision is answered alike.

        Raises:
            DeclinedError: with a code of `services.bundler.errors`; nothing was changed.
            ContendedError: others decide on it at this moment.
            StoreError: as `libs.store.errors` lists; the same decision may be repeated.
        """
        if request.person is None:
            raise DeclinedError(
                Code.REQUEST_NOT_TRUSTED, "A person decides on an enrolment, and this request has none."
            )
        for _ in range(_TRIES):
            found = await self._named(content)
            wanted = EnrolmentState.APPROVED if content.approve else EnrolmentState.DENIED
            if found.state is EnrolmentState.WAITING:
                await self._record(request.person, found, wanted)
                after = replace(
                    found,
                    state=wanted,
                    decided_at=self.now(),
                    decided_by=request.person.id,
                    decided_by_name=request.person.name,
                    approval=signed if content.approve else None,
                    rev=found.rev + 1,
                )
                if not await self.enrolments.save(found, after):
                    continue
                found = after
            if found.state is not wanted:
                raise DeclinedError(
                    Code.ENROLMENT_SETTLED, f"This enrolment was {found.state} by {found.decided_by_name} already."
                )
            if found.state is EnrolmentState.DENIED:
                await self._give_back(found)
            return Settled(enrolment=found.id, approved=content.approve)
        raise ContendedError("others decide on this enrolment at once")

    async def _named(self, content: SettleContent) -> EnrolmentDocument:
        """The enrolment that a decision is about, if it can still be decided."""
        found = await self.enrolments.get(content.enrolment)
        if found is None:
            raise DeclinedError(Code.ENROLMENT_UNKNOWN, "There is no such enrolment.")
        if (found.resource, found.key_hash) != (content.resource, content.key_hash):
            raise DeclinedError(
                Code.REQUEST_NOT_TRUSTED, "The decision names another key or resource than the machine."
            )
        if content.approve and found.state is EnrolmentState.WAITING and self.now() > found.created_at + RETRY_MS:
            raise DeclinedError(
                Code.ENROLMENT_TOO_OLD, "This machine has waited for too long to be let in. Build a new package for it."
            )
        return found

    async def _waits(self, key: str, content: EnrolContent, token: EnrolmentToken, use: Use) -> None:
        now = self.now()
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "enrolment.ask", key),
                at=now,
                who=Who(id=use.agent, name=content.resource_name),
                what="enrolment.ask",
                resource=use.resource,
                outcome="waiting",
                address=content.address,
                extra={
                    "enrolment": key,
                    "token": token.id,
                    "package": token.package,
                    "key_hash": use.key_hash,
                    "owner_name": content.owner_name,
                    "host_name": content.host.hostname,
                },
            )
        )
        await self.enrolments.insert(
            EnrolmentDocument(
                id=key,
                token=token.id,
                package=token.package,
                approver=content.owner if token.resource else token.created_by,
                key_hash=use.key_hash,
                agent=use.agent,
                resource=use.resource,
                known=token.resource is not None,
                resource_name=content.resource_name,
                owner=content.owner,
                owner_name=content.owner_name,
                platform=content.platform,
                host=content.host,
                address=content.address,
                created_at=now,
            )
        )

    async def _record(self, person: Person, found: EnrolmentDocument, decision: EnrolmentState) -> None:
        await self.audit.append(
            AuditRecord(
                id=derived_id(Noun.AUDIT, "enrolment.settle", found.id, decision, person.id),
                at=self.now(),
                who=Who(id=person.id, name=person.name),
                what="enrolment.settle",
                resource=found.resource,
                outcome=decision.value,
                address=person.address,
                extra={
                    "enrolment": found.id,
                    "token": found.token,
                    "key_hash": found.key_hash,
                    "known": found.known,
                    "host_name": found.host.hostname,
                    "asked_from": found.address,
                },
            )
        )

    async def _give_back(self, found: EnrolmentDocument) -> None:
        """A denied machine's use goes back to the token, once."""
        for _ in range(_TRIES):
            token = await self.tokens.get(found.token)
            after = None if token is None else given_back(token, found.key_hash)
            if token is None or after is None or await self.tokens.save(token, after):
                return
        raise ContendedError("many machines enrol by this token at once")
