"""What agents saw: accounts appear, change, vanish, and speak for or against what was proven.

A discovered account is UNMANAGED: Keyturn claims nothing about it. One that an observation no longer shows is kept and
marked.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import structlog

from libs.broker.ports import Broker
from libs.domain.accounts import Account
from libs.domain.deadlines import HOUR, SECOND
from libs.domain.state import NONE, Change, Generation, Rotation, Status
from libs.domain.trust import contact
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.observations import ObservationDocument, Observations
from libs.store.resources import Resources
from libs.wire.envelope import Envelope
from libs.wire.events import AccountChanged, AgentObserved, ResourceChanged
from libs.wire.ids import account_id
from libs.wire.observations import Observation, SeenAccount
from services.scheduler.episodes import Episodes
from services.scheduler.epochs import Epochs
from services.scheduler.ledger import Ledger
from services.scheduler.nonces import Nonces
from services.scheduler.pins import NotBelievedError
from services.scheduler.trusted import Agents

log = structlog.get_logger()


class _Received(NamedTuple):
    """When the gateway received an observation, its receipt, and the newest epoch that can have been then."""

    at: int
    receipt: int
    latest: int


@dataclass(frozen=True)
class Discoveries:
    """Takes observations from the gateway's desk."""

    observations: Observations
    accounts: Accounts
    resources: Resources
    agents: Agents
    epochs: Epochs
    ledger: Ledger
    episodes: Episodes
    nonces: Nonces
    broker: Broker
    clock: Clock

    async def observed(self, envelope: Envelope) -> None:
        """An observation was stored."""
        await self.take(AgentObserved.read(envelope).observation)

    async def take(self, key: str) -> None:
        """Believes this observation, once."""
        document = await self.observations.get(key)
        if document is None or document.taken:
            return
        why: str | None = None
        try:
            identity, seen = await self.agents.observation(document.signed, document.agent)
            resource = await self.resources.get(identity.resource)
            if resource is None or (resource.agent != identity.agent and self._new(document)):
                # It overtook the enrolment: it stays on the desk, and the sweep takes it when the resource is there.
                log.info("an observation waits for its resource", observation=key, resource=identity.resource)
                return
            if resource.agent != identity.agent:
                raise NotBelievedError(f"the agent of {resource.id} is {resource.agent}")
            await self._believe(document, identity.resource, seen)
        except NotBelievedError as error:
            log.warning("an observation does not count", observation=key, agent=document.agent, why=str(error))
            why = str(error)
        await self.observations.mark_taken(key, why=why)

    def _new(self, document: ObservationDocument) -> bool:
        """Whether its agent may still be given the resource by what is on its way."""
        return self.clock.now() < document.created_at + HOUR

    async def _believe(self, document: ObservationDocument, resource: str, seen: Observation) -> None:
        now = self.clock.now()
        at = min(document.created_at, now)
        when = _Received(at, document.receipt, latest=max(now // SECOND, await self.epochs.current()))
        if not await self._newest(resource, seen, when):
            log.info("not the newest observation of a known resource", observation=document.id, resource=resource)
            return
        known = {account.id: account for account in await self.accounts.of_resource(resource)}
        shown: set[str] = set()
        for each in seen.accounts:
            key = account_id(resource, each.name, each.uid)
            shown.add(key)
            await self._see(key, resource, each, known.get(key), when)
        if not seen.cut:
            for key, account in known.items():
                if key not in shown and account.vanished_at is None:
                    await self._describe(account, replace(account, vanished_at=at))
        changed = ResourceChanged(resource=resource, rev=at)
        await self.broker.notify(changed.envelope(self.clock.now()))

    async def _newest(self, resource: str, seen: Observation, when: _Received) -> bool:
        """Notes the observation at its resource; False when a later one was noted before, or there is no resource
        yet.
        """
        while True:
            before = await self.resources.get(resource)
            if before is None:
                return False
            if when.receipt < before.observation_receipt:
                return False
            after = replace(
                before,
                observed_at=when.at,
                observation_receipt=when.receipt,
                cut=seen.cut,
                sequence=seen.sequence,
                host=seen.host,
                rev=before.rev + 1,
            )
            if await self.resources.save(before, after):
                return True

    async def _see(self, key: str, resource: str, each: SeenAccount, account: Account | None, when: _Received) -> None:
        if account is None:
            account = Account(
                id=key,
                resource=resource,
                name=each.name,
                uid=each.uid,
                gid=each.gid,
                shell=each.shell,
                kinds=each.kinds,
                seen_at=when.at,
                vanished_at=None,
                rotation=Rotation(),
                ended=(),
                due_at=None,
                rev=1,
            )
            if await self.accounts.insert(account):
                log.info("account discovered", account=key, resource=resource)
        described = (account.gid, account.shell, account.kinds, account.vanished_at)
        if described != (each.gid, each.shell, each.kinds, None):
            await self._describe(
                account,
                replace(account, gid=each.gid, shell=each.shell, kinds=each.kinds, seen_at=when.at, vanished_at=None),
            )
        if account.rotation.versions or each.mark:
            await self._contact(key, each, when)

    async def _describe(self, before: Account, after: Account) -> None:
        """Writes what the host says of an account; whoever turned it meanwhile was later than this observation's
        reader.
        """
        after = replace(after, rev=before.rev + 1)
        if await self.accounts.save(before, after):
            changed = AccountChanged(account=after.id, resource=after.resource, rev=after.rev)
            await self.broker.notify(changed.envelope(self.clock.now()))

    async def _contact(self, key: str, each: SeenAccount, when: _Received) -> None:
        mark = Generation.parse(each.mark) if each.mark else NONE
        nonce = self.nonces.fresh()

        def rule(account: Account) -> Change:
            return contact(
                account.rotation,
                mark=mark,
                fingerprint=each.fingerprint,
                nonce=nonce,
                now=when.at,
                receipt=when.receipt,
                latest=when.latest,
            )

        account = await self.ledger.turn(key, rule)
        if account.rotation.status is Status.UNCERTAIN:
            await self.episodes.begin(account)
