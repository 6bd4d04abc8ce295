"""Episodes: the comparison that an uncertain account waits for. Nobody has to ask for it."""

from dataclasses import dataclass

import structlog

from libs.domain.accounts import Account
from libs.domain.deadlines import EPISODE
from libs.domain.errors import RuleError
from libs.domain.rotation import request_verify
from libs.domain.state import Change, Status
from libs.service.clock import Clock
from libs.wire.ids import Noun, new_id
from services.scheduler.ledger import Ledger
from services.scheduler.nonces import Nonces
from services.scheduler.offers import Offers
from services.scheduler.trusted import Agents

log = structlog.get_logger()


@dataclass(frozen=True)
class Episodes:
    """Begins comparisons, and lays their next jobs into the mailbox."""

    ledger: Ledger
    offers: Offers
    agents: Agents
    nonces: Nonces
    clock: Clock

    async def begin(self, account: Account) -> None:
        """A comparison of an uncertain account that nothing holds, or the next part of the one that does.

        None begins that no agent can ever take: a revoked agent's account waits, uncertain, for the next one.
        """
        task, nonce, now = new_id(Noun.TASK, self.nonces.entropy), self.nonces.fresh(), self.clock.now()

        def rule(a: Account) -> Change:
            if a.rotation.status is not Status.UNCERTAIN or a.rotation.flight is not None:
                return Change(a.rotation)
            return request_verify(a.rotation, task=task, nonce=nonce, deadline=now + EPISODE, now=now)

        try:
            await self.agents.of_resource(account.resource)
            await self.offers.offer(await self.ledger.turn(account.id, rule))
        except RuleError as error:
            log.warning("an uncertain account cannot be compared now", account=account.id, why=str(error))
