"""A known machine under a new agent: only by a token that named it, and with a person's approval.

The bundler certifies such an agent, and the gateway signed the person's approval; this believes neither alone. The
certificate must come from the authority, the approval from the gateway, and both must be about this key and this
resource. Then, in this order:

    1. the audit record
    2. every account of the resource     what was proven is past: UNCERTAIN, nothing is forgotten (`trust_lost`)
    3. the resource's agent              from now on passwords are sealed to the new one
    4. a comparison of each account

Ended between any two, it is done again from the beginning, and each step meets itself. Nothing is sealed to the new key
before 3, and nothing to the old one since the bundler ended its certificate. An approval counts once: one that is not
younger than the resource's agent is past, so an older certificate cannot take the resource back.
"""

from dataclasses import dataclass, replace

import structlog

from libs.broker.ports import Broker
from libs.domain.accounts import Account
from libs.domain.errors import RuleError
from libs.domain.state import Change, Status
from libs.domain.trust import release, trust_lost
from libs.pki.check import AgentIdentity
from libs.pki.csr import key_hash
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.certificates import Certificates
from libs.store.resources import Resource, Resources
from libs.wire.events import AgentRevoked, ResourceChanged
from libs.wire.requests import Request, SettleContent
from services.scheduler.episodes import Episodes
from services.scheduler.ledger import Ledger
from services.scheduler.records import Records
from services.scheduler.trusted import Gateway

log = structlog.get_logger()


@dataclass(frozen=True)
class Takeovers:
    """Gives resources to their next agents."""

    gateway: Gateway
    certificates: Certificates
    resources: Resources
    accounts: Accounts
    ledger: Ledger
    episodes: Episodes
    records: Records
    broker: Broker
    clock: Clock

    async def take(self, resource: Resource, identity: AgentIdentity) -> None:
        """Gives a resource to the agent that a person approved for it. Safe to repeat."""
        approval = await self._approval(identity)
        if approval is None:
            log.error("no person let this agent take a resource", agent=identity.agent, resource=resource.id)
            return
        if approval.issued_at <= resource.agent_since:
            log.info("an approval is past", agent=identity.agent, resource=resource.id)
            return
        await self.records.taken_over(resource, identity.agent, approval)
        await self._doubt(resource.id)
        if not await self._hand_over(resource.id, identity.agent, approval.issued_at):
            return
        log.warning("a known machine has a new agent", resource=resource.id, was=resource.agent, now=identity.agent)
        now = self.clock.now()
        await self.broker.notify(AgentRevoked(agent=resource.agent).envelope(now))
        await self.broker.notify(ResourceChanged(resource=resource.id, rev=resource.rev + 1).envelope(now))
        await self._compare(resource.id)

    async def _approval(self, identity: AgentIdentity) -> Request | None:
        """The newest approval of this key for this resource that the gateway signed."""
        found: list[Request] = []
        for certificate in await self.certificates.of_agent(identity.agent):
            if certificate.approval is None:
                continue
            try:
                request = self.gateway.signed(certificate.approval)
            except RuleError as error:
                log.error("an approval is not the gateway's", agent=identity.agent, why=str(error))
                continue
            content = request.content
            if (
                isinstance(content, SettleContent)
                and content.approve
                and request.person is not None
                and (content.resource, content.key_hash) == (identity.resource, key_hash(identity.public_key))
            ):
                found.append(request)
        return max(found, key=lambda each: each.issued_at, default=None)

    async def _doubt(self, resource: str) -> None:
        async for account in self.accounts.each_of_resource(resource):
            await self.ledger.turn(account.id, lambda a: _doubted(a, self.clock.now()))

    async def _hand_over(self, resource: str, agent: str, since: int) -> bool:
        """The compare-and-set; False when a later approval was faster."""
        while True:
            before = await self.resources.get(resource)
            if before is None or before.agent_since >= since:
                return False
            after = replace(before, agent=agent, agent_since=since, rev=before.rev + 1)
            if await self.resources.save(before, after):
                return True

    async def _compare(self, resource: str) -> None:
        for account in await self.accounts.of_resource(resource):
            if account.rotation.status is Status.UNCERTAIN:
                await self.episodes.begin(account)


def _doubted(account: Account, now: int) -> Change:
    """What was proven is past. Where two machines had the old identity, the person's approval says which it is now."""
    r = account.rotation
    return release(r) if r.status is Status.QUARANTINED else trust_lost(r, now=now)
