"""The server's clock, watched from sweep to sweep: where it was put back, what waits for a moment waits too long.

A lease or a deadline that was written while the clock was ahead ends when the clock comes there again. Each is counted
anew from now. The first sweep of a process looks as well, for the clock may have been put back while none ran.
"""

from dataclasses import dataclass

import structlog

from libs.domain.accounts import Account
from libs.domain.deadlines import RECHECK, put_right
from libs.domain.state import Change
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from services.scheduler.ledger import Ledger

log = structlog.get_logger()

_PAGE = 200


@dataclass
class ClockWatch:
    """Remembers the moment of the last sweep."""

    accounts: Accounts
    ledger: Ledger
    clock: Clock
    last: int = 2**53

    async def look(self) -> None:
        """Puts right what lies in the future, where the clock went back since the last look."""
        now = self.clock.now()
        if now < self.last:
            await self._put_right(now)
        self.last = now

    async def _put_right(self, now: int) -> None:
        after = None
        while page := await self.accounts.due_after(now, limit=_PAGE, after=after):
            for account in page:
                await self._one(account, now)
            after = (page[-1].due_at, page[-1].id)

    async def _one(self, account: Account, now: int) -> None:
        r = account.rotation
        if put_right(r, now) is not r:
            await self.ledger.turn(account.id, lambda a: Change(put_right(a.rotation, now)))
            log.warning("the clock was put back: a request's time is counted anew", account=account.id)
        elif r.flight is None and (account.due_at or 0) > now + RECHECK:
            await self.accounts.look_again(account, now + RECHECK)
