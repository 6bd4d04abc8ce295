"""The offer happened: an agent fetched its job. From that moment its password may be live, and the lease runs."""

from dataclasses import dataclass

from libs.domain.accounts import Account
from libs.domain.deadlines import LEASE
from libs.domain.rotation import fetched
from libs.domain.state import Change
from libs.service.clock import Clock
from libs.store.jobs import JobDocument, Jobs
from libs.wire.envelope import Envelope
from libs.wire.events import AgentFetched
from libs.wire.steps import Step, step
from services.scheduler.ledger import Ledger
from services.scheduler.offers import job_id


@dataclass(frozen=True)
class Fetches:
    """Turns accounts whose job was fetched."""

    jobs: Jobs
    ledger: Ledger
    clock: Clock
    lease: int = LEASE

    async def told(self, envelope: Envelope) -> None:
        """The gateway says that a job was fetched; the job document is what counts."""
        job = await self.jobs.get(AgentFetched.read(envelope).job)
        if job is not None and job.fetched_at is not None:
            step(Step.SCHEDULER_FETCH_READ)
            await self.fetched(job)

    async def fetched(self, job: JobDocument) -> None:
        """The account of a fetched job is at its agent now. A job that is no longer in flight changes nothing."""
        # A gateway whose clock is ahead must not make the lease longer.
        at = min(job.fetched_at or job.created_at, self.clock.now())

        def rule(account: Account) -> Change:
            flight = account.rotation.flight
            if flight is None or job_id(flight) != job.id:
                return Change(account.rotation)
            return fetched(account.rotation, task=flight.task, nonce=flight.nonce, at=at, lease_until=at + self.lease)

        await self.ledger.turn(job.account, rule)
