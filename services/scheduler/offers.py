"""Jobs: a queued flight, sealed to its agent, signed, and laid into the agent's mailbox.

The order is what keeps the promise: the account holds the escrowed version before this begins; then the audit record is
durable; then the job is inserted, under an identifier derived from task and nonce, so that a repeat meets the first
one. The broker only wakes; the mailbox is the truth. A cancel or a deadline and the agent's fetch compete on the job
document: whoever is later loses.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.broker.ports import Broker
from libs.domain.accounts import Account
from libs.domain.state import Flight, Phase, Version
from libs.domain.versions import candidates
from libs.pki.check import AgentIdentity
from libs.service.clock import Clock
from libs.store.jobs import JobDocument, Jobs, JobState
from libs.vault.open import Opener
from libs.vault.seal import in_flight
from libs.wire import steps
from libs.wire.events import AgentWake
from libs.wire.ids import Noun, derived_id
from libs.wire.jobs import MAX_CANDIDATES, MAX_KNOWN, Candidate, Job, ResetStep, Step, VerifyStep
from libs.wire.seal import Sealed, key_id, seal
from libs.wire.sign import Prefix, sign
from services.scheduler.records import Records
from services.scheduler.trusted import Agents


def job_id(flight: Flight) -> str:
    """The job of a flight: another nonce is another job."""
    return derived_id(Noun.JOB, flight.task, flight.nonce)


@dataclass(frozen=True)
class Offers:
    """Lays jobs into mailboxes, and takes them back."""

    jobs: Jobs
    agents: Agents
    opener: Opener
    task_key: Ed25519PrivateKey
    records: Records
    broker: Broker
    clock: Clock

    async def offer(self, account: Account) -> None:
        """Makes sure that the job of a queued flight lies in its agent's mailbox, and wakes the agent.

        Raises:
            RuleError: with `no_agent`: nobody can take it.
        """
        flight = account.rotation.flight
        if flight is None or flight.phase is not Phase.QUEUED:
            return
        identity = await self.agents.to_seal_to(account.resource)
        key = job_id(flight)
        if await self.jobs.get(key) is None:
            await self.records.offered(account, flight, identity.agent)
            steps.step(steps.Step.SCHEDULER_OFFER_AUDITED)
            job = self._job(key, account, flight, identity)
            now = self.clock.now()
            await self.jobs.insert(
                JobDocument(
                    id=key,
                    task=flight.task,
                    account=account.id,
                    agent=identity.agent,
                    state=JobState.WAITING,
                    signed=sign(job.to_bytes(), Prefix.JOB, self.task_key),
                    created_at=now,
                )
            )
            steps.step(steps.Step.SCHEDULER_JOB_INSERTED)
        await self.broker.notify(AgentWake(agent=identity.agent).envelope(self.clock.now()))
        steps.step(steps.Step.SCHEDULER_AGENT_WOKEN)

    async def is_withdrawn(self, flight: Flight) -> bool:
        """Whether the flight's job was taken back, so that no agent will ever have it."""
        job = await self.jobs.get(job_id(flight))
        return job is not None and job.state is JobState.WITHDRAWN

    async def withdraw(self, account: Account, flight: Flight) -> JobDocument | None:
        """Takes the job back, or puts a tombstone where none lies yet. The job, when an agent has it already; else
        None.
        """
        key = job_id(flight)
        while True:
            job = await self.jobs.get(key)
            if job is None:
                tombstone = JobDocument(
                    id=key,
                    task=flight.task,
                    account=account.id,
                    agent="",
                    state=JobState.WITHDRAWN,
                    signed=None,
                    created_at=self.clock.now(),
                )
                if await self.jobs.insert(tombstone):
                    return None
            elif job.state is JobState.WITHDRAWN or await self.jobs.withdraw(key):
                return None
            elif job.state is not JobState.WAITING:
                return job

    def _job(self, key: str, account: Account, flight: Flight, identity: AgentIdentity) -> Job:
        return Job(
            id=key,
            task=flight.task,
            agent=identity.agent,
            resource=identity.resource,
            recipient=key_id(identity.sealing_key),
            nonce=flight.nonce,
            fence=str(account.rotation.newest),
            issued_at=self.clock.now(),
            deadline=flight.deadline,
            steps=(self._step(account, flight, identity),),
        )

    def _step(self, account: Account, flight: Flight, identity: AgentIdentity) -> Step:
        r = account.rotation
        if flight.compares:
            asked = candidates(r)[flight.skip : flight.skip + MAX_CANDIDATES]
            return VerifyStep(
                account=account.id,
                name=account.name,
                uid=account.uid,
                candidates=tuple(self._sealed(account, version, identity) for version in asked),
                known=tuple(str(version.generation) for version in r.versions[:MAX_KNOWN]),
            )
        version = next(v for v in r.versions if v.generation == flight.generation)
        return ResetStep(
            account=account.id,
            name=account.name,
            uid=account.uid,
            password=self._sealed(account, version, identity),
            escrow=_kept(version),
            unlock=flight.unlock,
        )

    def _sealed(self, account: Account, version: Version, identity: AgentIdentity) -> Candidate:
        generation = str(version.generation)
        secret = self.opener.at_rest(_kept(version), account.id, generation)
        return Candidate(
            generation=generation, sealed=seal(secret, in_flight(account.id, generation), [identity.sealing_key])
        )


def _kept(version: Version) -> Sealed:
    if version.sealed is None:
        raise ValueError(f"version {version.generation} has no sealed password")
    return version.sealed
