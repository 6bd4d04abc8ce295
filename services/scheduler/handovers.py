"""Another owner for a resource, as its owner or an administrator asked: the gateway says who, this alone writes it.

A name is one owner's once, so a resource is declined where the new owner has one of that name. What was asked under
the old owner goes on: a task belongs to who asked for it.
"""

from dataclasses import dataclass, replace

from libs.broker.ports import Broker
from libs.domain.errors import RuleError
from libs.service.clock import Clock
from libs.store.resources import Resources
from libs.wire.envelope import Envelope
from libs.wire.events import Answered, HandOverAsked, ResourceChanged
from libs.wire.requests import Declined, HandedOver, HandOverContent, Person, Request
from libs.wire.sign import Signed
from services.scheduler.records import Records
from services.scheduler.trusted import Gateway


@dataclass(frozen=True)
class Handovers:
    """Answers requests for another owner."""

    resources: Resources
    gateway: Gateway
    records: Records
    broker: Broker
    clock: Clock

    async def asked(self, envelope: Envelope) -> Envelope:
        """The answer to `rpc.hand_over`.

        Raises:
            UnreadableError: another type, version or shape.
        """
        answer = await self.hand_over(HandOverAsked.read(envelope).signed)
        if isinstance(answer, Declined):
            return Answered(declined=answer.model_dump(mode="json")).envelope(self.clock.now())
        return Answered(answer=answer.model_dump(mode="json")).envelope(self.clock.now())

    async def hand_over(self, signed: Signed) -> HandedOver | Declined:
        """The resource under its new owner; safe to repeat."""
        try:
            request = self.gateway.signed(signed)
        except RuleError as error:
            return Declined(code=error.reason.value, sentence="The request's signature was not the gateway's.")
        content, person = request.content, request.person
        if not isinstance(content, HandOverContent) or person is None or request.resource != content.resource:
            return Declined(code="request_not_trusted", sentence="This is not a person's request to hand over.")
        if self.clock.now() > request.deadline:
            return Declined(code="request_too_late", sentence="The request's time was over. Ask again.", retryable=True)
        return await self._turn(content, request, person)

    async def _turn(self, content: HandOverContent, request: Request, person: Person) -> HandedOver | Declined:
        while True:
            before = await self.resources.get(content.resource)
            if before is None:
                return Declined(code="not_there", sentence="There is no such resource.")
            if before.owner == content.owner:
                return HandedOver(resource=before.id, owner=before.owner)
            if await self.resources.named(content.owner, before.name) is not None:
                sentence = f"{content.owner_name} has a resource named {before.name} already. Nothing was changed."
                return Declined(code="resource_name_taken", sentence=sentence)
            await self.records.handed_over(before, content, request, person)
            after = replace(before, owner=content.owner, owner_name=content.owner_name, rev=before.rev + 1)
            if await self.resources.save(before, after):
                await self.broker.notify(ResourceChanged(resource=after.id, rev=after.rev).envelope(self.clock.now()))
                return HandedOver(resource=after.id, owner=after.owner)
