"""After a restore: what the store says is past. Each account with a password is UNCERTAIN until it is compared, and its
agent is asked for what the vault no longer knows.
"""

from dataclasses import dataclass

from libs.domain.trust import restored
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.resources import Resource, Resources
from services.scheduler.ledger import Ledger

_PAGE = 200


@dataclass(frozen=True)
class Recovery:
    """Walks over the whole vault."""

    resources: Resources
    accounts: Accounts
    ledger: Ledger
    clock: Clock

    async def tell_everyone(self, epoch: int) -> int:
        """Turns every account; how many there are. A walk that was interrupted is simply done again."""
        told, after = 0, None
        while page := await self.resources.page(now=2**53, limit=_PAGE, after=after):
            for resource in page:
                told += await self._tell(resource, epoch)
            after = (page[-1].created_at, page[-1].id)
        return told

    async def _tell(self, resource: Resource, epoch: int) -> int:
        told = 0
        async for account in self.accounts.each_of_resource(resource.id):
            await self.ledger.turn(account.id, lambda a: restored(a.rotation, epoch=epoch, now=self.clock.now()))
            told += 1
        return told
