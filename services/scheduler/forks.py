"""One identity on two machines: both are quarantined, until a person chose one and that one has other keys.

The gateway hears both and says so; this believes the gateway's signature alone. Then, in this order:

    1. the audit record
    2. the agent's document    quarantined: nothing is sealed to it, and nothing of it believed
    3. its accounts            what waits is withdrawn, what was offered is unknown; QUARANTINED
    4. the incident

A person's choice is recorded, and from then on the gateway lets the chosen run renew its keys and nothing else. The
sweep sees when it has: the pin follows to a key that the other machine does not have. Then

    5. its accounts            UNCERTAIN
    6. the agent's document    every older key is over, each by a signed statement; the quarantine ends
    7. a comparison of each account

Ended between any two, it is done again, and each step meets itself.
"""

from dataclasses import dataclass, replace

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.broker.ports import Broker
from libs.domain.state import Status
from libs.domain.trust import quarantine, release
from libs.pki.csr import key_hash
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.agents import AgentDocument, AgentDocuments, EndedKey
from libs.store.certificates import Certificates
from libs.store.incidents import Incident, IncidentKind, Incidents
from libs.store.resources import Resource, Resources
from libs.wire.events import ResourceChanged
from libs.wire.ids import Noun, derived_id
from libs.wire.reasons import Reason
from libs.wire.requests import ChooseContent, ForkContent, ForkSide, Request
from libs.wire.revocation import Revocation, revocation
from services.scheduler.episodes import Episodes
from services.scheduler.ledger import Ledger
from services.scheduler.pins import NotBelievedError, Pins
from services.scheduler.records import Records
from services.scheduler.withdrawals import Withdrawals

log = structlog.get_logger()

_BECAUSE = "another machine has this key too, and a person chose that one"


@dataclass(frozen=True)
class Forks:
    """Quarantines and releases agents."""

    documents: AgentDocuments
    pins: Pins
    certificates: Certificates
    resources: Resources
    accounts: Accounts
    incidents: Incidents
    ledger: Ledger
    withdrawals: Withdrawals
    episodes: Episodes
    records: Records
    task_key: Ed25519PrivateKey
    broker: Broker
    clock: Clock

    async def quarantine(self, request: Request, content: ForkContent) -> Reason | None:
        """Why nothing was done, or None."""
        try:
            await self.pins.line(content.agent)  # the pin is the newest, so that a later renewal shows
        except NotBelievedError as error:
            log.warning("a fork of an agent that is not believed", agent=content.agent, why=str(error))
            return Reason.NO_AGENT
        resource = await self._resource(content.agent)
        await self.records.forked(content, request, resource)
        await self._note(request, content)
        if resource is None:
            return None
        async for account in self.accounts.each_of_resource(resource.id):
            await self.withdrawals.end_flight(account, Reason.ACCOUNT_QUARANTINED)
            await self.ledger.turn(account.id, lambda a: quarantine(a.rotation, now=self.clock.now()))
        await self.incidents.insert(self._incident(request, content, resource))
        await self._changed(resource)
        return None

    async def _note(self, request: Request, content: ForkContent) -> None:
        while True:
            before = await self.documents.get(content.agent)
            if before is None or before.fork == request.id:
                return
            after = replace(
                before,
                fork=request.id,
                quarantined_at=self.clock.now(),
                quarantined_key=before.key_hash,
                chosen=None,
                rev=before.rev + 1,
            )
            if await self.documents.save(before, after):
                log.warning("agent quarantined", agent=content.agent)
                return

    async def choose(self, request: Request, content: ChooseContent) -> Reason | None:
        """A person says which machine it is."""
        if request.person is None:
            return Reason.REQUEST_NOT_TRUSTED
        await self.records.chosen(content, request, request.person)
        while True:
            before = await self.documents.get(content.agent)
            if before is None or before.fork != content.fork or before.quarantined_at is None:
                return Reason.REQUEST_TOO_LATE
            if before.chosen == content.run:
                return None
            after = replace(before, chosen=content.run, chosen_because=content.reason, rev=before.rev + 1)
            if await self.documents.save(before, after):
                return None

    async def sweep(self) -> None:
        """Releases each agent whose chosen machine has renewed its keys."""
        for document in await self.documents.quarantined():
            if document.chosen is None or document.revoked_at is not None:
                continue
            try:
                present = (await self.pins.line(document.id))[0]
            except NotBelievedError as error:
                log.warning("a quarantined agent is not believed", agent=document.id, why=str(error))
                continue
            now = key_hash(present.public_key)
            if now != document.quarantined_key:
                await self._release(document, now)

    async def _release(self, document: AgentDocument, key: str) -> None:
        resource = await self._resource(document.id)
        await self.records.released(document, key, resource)
        accounts = [] if resource is None else [each async for each in self.accounts.each_of_resource(resource.id)]
        for account in accounts:
            await self.ledger.turn(account.id, lambda a: release(a.rotation))
        if not await self._end(document.id, key):
            return
        log.warning("agent released", agent=document.id)
        for account in accounts:
            found = await self.accounts.get(account.id)
            if found is not None and found.rotation.status is Status.UNCERTAIN:
                await self.episodes.begin(found)
        if resource is not None:
            await self._changed(resource)

    async def _end(self, agent: str, key: str) -> bool:
        """Every key but this one is over; False where the agent was revoked meanwhile, or is settled."""
        old = {each.key_hash for each in await self.certificates.of_agent(agent)} - {key}
        while True:
            before = await self.documents.get(agent)
            if before is None or before.quarantined_at is None or before.revoked_at is not None:
                return False
            there = {each.key_hash for each in before.ended}
            ended = tuple(self._ended(agent, each) for each in sorted(old - there))
            after = replace(before, quarantined_at=None, ended=(*before.ended, *ended), rev=before.rev + 1)
            if await self.documents.save(before, after):
                return True

    def _ended(self, agent: str, key: str) -> EndedKey:
        said = Revocation(agent=agent, key=f"sha256:{key}", revoked_at=self.clock.now(), reason=_BECAUSE)
        return EndedKey(key_hash=key, statement=revocation(said, self.task_key))

    async def _resource(self, agent: str) -> Resource | None:
        named = {each.resource for each in await self.certificates.of_agent(agent)}
        return next((each for each in await self.resources.get_many(sorted(named)) if each.agent == agent), None)

    async def _changed(self, resource: Resource) -> None:
        changed = ResourceChanged(resource=resource.id, rev=resource.rev)
        await self.broker.notify(changed.envelope(self.clock.now()))

    def _incident(self, request: Request, content: ForkContent, resource: Resource) -> Incident:
        return Incident(
            id=derived_id(Noun.INCIDENT, request.id),
            kind=IncidentKind.IDENTITY_ON_TWO_MACHINES,
            created_at=self.clock.now(),
            seen_by=resource.owner,
            token=None,
            package=None,
            key_hash="",
            host_name=content.sides[0].host_name,
            resource_name=resource.name,
            user_name=resource.owner_name,
            address=content.sides[0].address,
            agent=content.agent,
            machines=tuple(_words(each) for each in content.sides),
        )


def _words(side: ForkSide) -> str:
    return f"{side.host_name or 'a machine'} at {side.address or 'an unknown address'}, run {side.run[:8]}"
