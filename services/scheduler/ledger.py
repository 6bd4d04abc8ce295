"""The one writer of accounts: a rule of the domain, applied by compare-and-set, and shown to people afterwards.

The account document is the truth and the lock. A turn reads it, applies a pure rule, and writes the result guarded by
`rev`; whoever was slower reads again. Requests that ended by the turn lie in the same document (`ended`) until their
task documents say so: a kill between the two leaves them for the sweeper.
"""

from collections.abc import Callable
from dataclasses import replace

import structlog

from libs.broker.ports import Broker
from libs.domain.accounts import Account
from libs.domain.deadlines import due_at
from libs.domain.errors import RuleError
from libs.domain.state import Change
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.wire.events import AccountChanged
from libs.wire.reasons import Reason
from libs.wire.steps import Step, step
from services.scheduler.projection import Projection

log = structlog.get_logger()

Rule = Callable[[Account], Change]


class UnknownAccountError(RuleError):
    """The vault has no such account."""

    def __init__(self, account: str) -> None:
        super().__init__(Reason.ACCOUNT_UNKNOWN, f"{account} is not in the vault")


class Ledger:
    """Turns accounts."""

    def __init__(self, accounts: Accounts, projection: Projection, broker: Broker, clock: Clock) -> None:
        self._accounts, self._projection, self._broker, self._clock = accounts, projection, broker, clock

    async def turn(self, account: str, rule: Rule) -> Account:
        """The account after `rule`, written and shown.

        Raises:
            UnknownAccountError: there is none.
            RuleError, StaleAnswerError: what the rule raises; nothing is written.
        """
        while True:
            before = await self._accounts.get(account)
            if before is None:
                raise UnknownAccountError(account)
            change = rule(before)
            if change.after == before.rotation and not change.ended:
                return before
            after = replace(
                before,
                rotation=change.after,
                ended=(*before.ended, *change.ended),
                due_at=due_at(change.after, self._clock.now()),
                rev=before.rev + 1,
            )
            if await self._accounts.save(before, after):
                break
        if after.rotation.status is not before.rotation.status:
            log.info("account turned", account=account, was=before.rotation.status, now=after.rotation.status)
        label = after.rotation.flight.phase if after.rotation.flight else after.rotation.status
        step(Step.SCHEDULER_ACCOUNT_SAVED, label)
        await self._projection.show(after)
        step(Step.SCHEDULER_PROJECTED, label)
        changed = AccountChanged(account=after.id, resource=after.resource, rev=after.rev)
        await self._broker.notify(changed.envelope(self._clock.now()))
        step(Step.SCHEDULER_CHANGE_TOLD, label)
        return after
