"""Taking back what waits: a cancel, a deadline or a revocation against the agent's fetch. Whoever is later loses."""

from dataclasses import dataclass
from functools import partial

import structlog

from libs.domain.accounts import Account
from libs.domain.errors import StaleAnswerError
from libs.domain.rotation import lost, withdrawn
from libs.domain.state import Change, End, Phase
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.wire.reasons import Reason
from services.scheduler.fetches import Fetches
from services.scheduler.ledger import Ledger
from services.scheduler.offers import Offers

log = structlog.get_logger()


@dataclass(frozen=True)
class Withdrawals:
    """Ends flights."""

    accounts: Accounts
    offers: Offers
    fetches: Fetches
    ledger: Ledger
    clock: Clock

    async def end_queued(self, account: Account, end: End, reason: Reason) -> bool:
        """Ends a queued flight; False where its agent was faster, which the account then learns."""
        flight = account.rotation.flight
        if flight is None:
            return False
        job = await self.offers.withdraw(account, flight)
        if job is not None:
            await self.fetches.fetched(job)
            return False
        now = self.clock.now()
        await self.ledger.turn(
            account.id, lambda a: withdrawn(a.rotation, task=flight.task, end=end, reason=reason, now=now)
        )
        return True

    async def end_flight(self, account: Account, reason: Reason) -> None:
        """Nothing is to be had of the agent any more: what waits is taken back; what it has already may be live, or
        come to be.
        """
        seen: Account | None = account
        while seen is not None and (flight := seen.rotation.flight) is not None:
            try:
                if flight.phase is Phase.OFFERED:
                    await self.ledger.turn(seen.id, partial(_lost, task=flight.task, now=self.clock.now()))
                    return
                if await self.end_queued(seen, End.CANCELLED, reason):
                    return
            except StaleAnswerError:
                log.info("an account was turned meanwhile", account=seen.id)
            seen = await self.accounts.get(account.id)


def _lost(account: Account, *, task: str, now: int) -> Change:
    return lost(account.rotation, task=task, now=now)
