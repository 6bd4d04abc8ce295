"""The sweep: whatever a kill, a lost message or a passed deadline left undone is found in the documents and done.

Deleting every queue loses nothing: each message can be derived again from what lies in the store. The sweep takes the
same ways as the messages, so there is nothing that only it knows how to do.
"""

from collections.abc import Awaitable
from dataclasses import dataclass

import structlog

from libs.domain.accounts import Account
from libs.domain.deadlines import RECHECK
from libs.domain.errors import KeyturnError, RuleError, StaleAnswerError
from libs.domain.rotation import lost
from libs.domain.state import Change, End, Phase, Status
from libs.service.clock import Clock
from libs.store.accounts import Accounts
from libs.store.jobs import Jobs, JobState
from libs.store.observations import Observations
from libs.store.requests import Requests
from libs.store.results import Results
from libs.wire.reasons import Reason
from services.scheduler.clock_watch import ClockWatch
from services.scheduler.enrolments import Enrolments
from services.scheduler.episodes import Episodes
from services.scheduler.fetches import Fetches
from services.scheduler.forks import Forks
from services.scheduler.ledger import Ledger
from services.scheduler.observations import Discoveries
from services.scheduler.offers import Offers
from services.scheduler.projection import Projection
from services.scheduler.requests import Desk
from services.scheduler.results import Reports
from services.scheduler.withdrawals import Withdrawals

log = structlog.get_logger()

EVERY_SECONDS = 2.0
PATIENCE = 10_000
"""Milliseconds for which a message is given the chance to arrive by itself."""

BATCH = 200


@dataclass(frozen=True)
class Sweeper:
    """Looks at everything that is due."""

    accounts: Accounts
    requests: Requests
    results: Results
    observations: Observations
    jobs: Jobs
    desk: Desk
    reports: Reports
    discoveries: Discoveries
    enrolments: Enrolments
    forks: Forks
    fetches: Fetches
    episodes: Episodes
    offers: Offers
    withdrawals: Withdrawals
    ledger: Ledger
    projection: Projection
    watch: ClockWatch
    clock: Clock

    async def sweep(self) -> None:
        """Once over everything. What one thing meets by the rules does not keep the sweep from the others.

        Raises:
            KeyturnError: store or broker are away; the next sweep does it all again.
        """
        await self.watch.look()
        now = self.clock.now()
        for request in await self.requests.waiting(now, patience=PATIENCE, limit=BATCH):
            await self._try(self.desk.take(request.id), request.id)
        for job in await self.jobs.in_state(JobState.FETCHED, now, patience=PATIENCE, limit=BATCH):
            await self._try(self.fetches.fetched(job), job.id)
        for result in await self.results.waiting(now, patience=PATIENCE, limit=BATCH):
            await self._try(self.reports.take(result.job), result.id)
        for observation in await self.observations.waiting(now, patience=PATIENCE, limit=BATCH):
            await self._try(self.discoveries.take(observation.id), observation.id)
        await self._try(self.enrolments.sweep(now - PATIENCE), "enrolments")
        await self._try(self.forks.sweep(), "forks")
        for account in await self.accounts.with_ended(limit=BATCH):
            await self._try(self.projection.show(account), account.id)
        for account in await self.accounts.due(self.clock.now(), limit=BATCH):
            await self._try(self._due(account), account.id)

    async def _try(self, step: Awaitable[None], what: str) -> None:
        try:
            await step
        except (RuleError, StaleAnswerError) as error:
            log.info("a sweep met a rule", what=what, why=str(error))
        except KeyturnError as error:
            if error.retryable:
                raise
            log.error("a sweep met something broken", what=what, why=str(error))

    async def _due(self, account: Account) -> None:
        """An account whose moment has come: its lease or deadline is over, its job may be missing, or it must be
        compared.
        """
        flight, now = account.rotation.flight, self.clock.now()
        if flight is None:
            uncertain = account.rotation.status is Status.UNCERTAIN
            if uncertain:
                await self.episodes.begin(account)
            await self.accounts.look_again(account, now + RECHECK if uncertain else None)
            return
        if flight.phase is Phase.OFFERED:
            if flight.lease_until is not None and flight.lease_until <= now:
                await self.episodes.begin(await self.ledger.turn(account.id, lambda a: _lost(a, flight.task, now)))
        elif flight.deadline <= now:
            await self.withdrawals.end_queued(account, End.EXPIRED, Reason.DEADLINE_PASSED)
        else:
            await self.accounts.look_again(account, await self._offered(account, flight.deadline))

    async def _offered(self, account: Account, deadline: int) -> int:
        """Makes sure that the job lies in its mailbox; when to look again: soon, where nobody can take it now."""
        try:
            await self.offers.offer(account)
        except RuleError as error:
            log.info("a request waits for an agent", account=account.id, why=str(error))
            return min(deadline, self.clock.now() + RECHECK)
        return deadline


def _lost(account: Account, task: str, now: int) -> Change:
    """The lease is over, unless the answer came in the meantime."""
    flight = account.rotation.flight
    if flight is None or flight.task != task or flight.lease_until is None or flight.lease_until > now:
        return Change(account.rotation)
    return lost(account.rotation, task=task, now=now)
