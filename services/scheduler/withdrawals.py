"""Taking back what waits: a cancel, a deadline or a revocation against the agent's fetch. Whoever is later loses."""

from dataclasses import dataclass

from libs.domain.accounts import Account
from libs.domain.rotation import withdrawn
from libs.domain.state import End
from libs.service.clock import Clock
from libs.wire.reasons import Reason
from services.scheduler.fetches import Fetches
from services.scheduler.ledger import Ledger
from services.scheduler.offers import Offers


@dataclass(frozen=True)
class Withdrawals:
    """Ends queued flights."""

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
