"""Ending an agent: a person asked, and from then on nothing that it signs counts, and nothing is sent to it.

The gateway refuses the agent as soon as the request lies on the desk. This believes the gateway's signature alone, and
then does, in this order:

    1. the audit record
    2. the agent's document       the signed statement; from now on nothing is sealed to it and nothing of it believed
    3. its accounts' flights      waiting: withdrawn, the status before; at the agent: UNCERTAIN, for it may be live
    4. the notice                 ends its held polls; a gateway that misses it sees the document at its sweep

Ended between any two, it is done again from the beginning, and each step meets itself. There is no way back: a machine
whose agent was revoked enrols anew, as another agent.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.broker.ports import Broker
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.agents import AgentDocument, AgentDocuments
from libs.store.certificates import Certificates
from libs.store.resources import Resources
from libs.wire.events import AgentRevoked, ResourceChanged
from libs.wire.reasons import Reason
from libs.wire.requests import Request, RevokeAgentContent
from libs.wire.revocation import Revocation, revocation
from services.scheduler.records import Records
from services.scheduler.withdrawals import Withdrawals

log = structlog.get_logger()


@dataclass(frozen=True)
class Revocations:
    """Revokes agents."""

    documents: AgentDocuments
    certificates: Certificates
    resources: Resources
    accounts: Accounts
    withdrawals: Withdrawals
    records: Records
    task_key: Ed25519PrivateKey
    broker: Broker
    clock: Clock

    async def revoke(self, request: Request, content: RevokeAgentContent) -> Reason | None:
        """Why the agent is not revoked, or None. Safe to repeat."""
        if request.person is None:
            log.error("nobody asked for a revocation", request=request.id, agent=content.agent)
            return Reason.REQUEST_NOT_TRUSTED
        person, now = request.person, self.clock.now()
        said = Revocation(agent=content.agent, revoked_at=now, reason=content.reason)
        await self.say(said, partial(self.records.revoked, content.agent, request, person, content.reason))
        await self.end_work(content.agent)
        return None

    async def end_work(self, agent: str) -> None:
        """Takes back what waits for an agent that is over, and tells everybody. Safe to repeat."""
        named = {each.resource for each in await self.certificates.of_agent(agent)}
        for resource in await self.resources.get_many(sorted(named)):
            if resource.agent == agent:
                async for account in self.accounts.each_of_resource(resource.id):
                    await self.withdrawals.end_flight(account, Reason.AGENT_REVOKED)
                changed = ResourceChanged(resource=resource.id, rev=resource.rev)
                await self.broker.notify(changed.envelope(self.clock.now()))
        await self.broker.notify(AgentRevoked(agent=agent).envelope(self.clock.now()))

    async def say(self, said: Revocation, record: Callable[[], Awaitable[None]], *, left: bool = False) -> None:
        """The statement, once, after its record; an agent that was never believed gets a document for it."""
        while True:
            before = await self.documents.get(said.agent)
            if before is not None and before.revoked is not None:
                return
            await record()
            after = replace(
                before or AgentDocument(id=said.agent),
                revoked=revocation(said, self.task_key),
                revoked_at=said.revoked_at,
                left_at=said.revoked_at if left else None,
                rev=0 if before is None else before.rev + 1,
            )
            done = self.documents.insert(after) if before is None else self.documents.save(before, after)
            if await done:
                log.warning("agent left" if left else "agent revoked", agent=said.agent)
                return
