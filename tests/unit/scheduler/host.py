"""A machine with an honest agent: it fetches by the gateway's compare-and-set, keeps its journal, and signs answers."""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.domain.moves import Entry, Move, decide
from libs.domain.state import NONE, Generation
from libs.store.jobs import Jobs, JobState
from libs.store.observations import ObservationDocument, Observations
from libs.store.receipts import Receipts
from libs.store.results import ResultDocument, Results, result_id
from libs.store.schema import CollectionName
from libs.vault.seal import in_flight
from libs.wire.events import AgentFetched, AgentObserved, TaskReported
from libs.wire.ids import Noun, account_id, new_id
from libs.wire.jobs import Job, ResetStep, VerifyStep
from libs.wire.observations import HostFacts, Observation, SeenAccount
from libs.wire.reasons import Reason
from libs.wire.results import Outcome, ResetAnswer, ResetOutcome, Result, VerifyAnswer, VerifyOutcome
from libs.wire.seal import open_sealed
from libs.wire.secret import Secret
from libs.wire.sign import Prefix, sign, verify

if TYPE_CHECKING:
    from tests.unit.scheduler.world import World

FACTS = HostFacts(hostname="dmz-web-01", system="Debian GNU/Linux 12 (bookworm)")


@dataclass
class Login:
    """One account of the machine, and what the agent's journal knows of it."""

    name: str
    uid: int
    live: Secret = field(default_factory=lambda: Secret("as it was before"))
    mark: Generation = NONE
    entry: tuple[Generation, Entry] | None = None
    sets: list[Generation] = field(default_factory=list)
    refuses: Reason | None = None  # what the host says to a set
    cannot_tell: bool = False  # no comparison works here

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(b"of this host" + self.live.reveal()).hexdigest()


@dataclass
class Host:
    """The machine."""

    world: "World"
    name: str = "dmz-web-01"
    agent: str = field(default_factory=lambda: new_id(Noun.AGENT))
    resource: str = field(default_factory=lambda: new_id(Noun.RESOURCE))
    signing: EllipticCurvePrivateKey = field(default_factory=lambda: generate(SECP256R1()))
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    logins: dict[str, Login] = field(default_factory=dict)
    sequence: int = 0

    def login(self, name: str = "deploy", uid: int = 1000) -> Login:
        return self.logins.setdefault(name, Login(name, uid))

    def account(self, name: str = "deploy") -> str:
        return account_id(self.resource, name, self.logins[name].uid)

    async def _receipt(self) -> int:
        return await Receipts(self.world.desk).next(self.resource, self.world.clock.now())

    # ---- what it sees

    def observation(self, *, cut: bool = False, resource: str | None = None) -> Observation:
        self.sequence += 1
        seen = tuple(
            SeenAccount(
                name=each.name,
                uid=each.uid,
                gid=each.uid,
                shell="/bin/bash",
                fingerprint=each.fingerprint,
                mark=str(each.mark) if each.mark != NONE else None,
            )
            for each in self.logins.values()
        )
        return Observation(
            id=new_id(Noun.OBSERVATION),
            agent=self.agent,
            resource=resource or self.resource,
            sequence=self.sequence,
            seen_at=self.world.clock.now(),
            accounts=seen,
            cut=cut,
            host=FACTS,
        )

    async def observes(
        self, seen: Observation | None = None, *, signing: EllipticCurvePrivateKey | None = None, at: int | None = None
    ) -> str:
        """Sends what it sees; with `at` the gateway received it then."""
        seen = seen or self.observation()
        receipt = await self._receipt() if at is None else at
        at = self.world.clock.now() if at is None else at
        signed = sign(seen.to_bytes(), Prefix.OBSERVATION, signing or self.signing)
        document = ObservationDocument(id=seen.id, agent=self.agent, signed=signed, created_at=at, receipt=receipt)
        assert await Observations(self.world.desk).insert(document, AgentObserved(observation=seen.id).envelope(at))
        self.world.nudge(CollectionName.OBSERVATIONS, seen.id)
        return seen.id

    # ---- its mail

    async def fetches(self) -> list[Job]:
        """The gateway's fetch: a compare-and-set for each job that waits."""
        jobs, found = Jobs(self.world.desk), []
        for job in await jobs.of_agent(self.agent):
            now = self.world.clock.now()
            if job.state is JobState.WAITING:
                if not await jobs.fetch(job.id, now, AgentFetched(job=job.id).envelope(now)):
                    continue
                self.world.nudge(CollectionName.JOBS, job.id)
            assert job.signed is not None
            payload = verify(job.signed, Prefix.JOB, self.world.keys.task.public_key())
            found.append(Job.model_validate_json(payload))
        return found

    async def works(self) -> int:
        """Fetches, does, reports; how many jobs it had."""
        jobs = await self.fetches()
        for job in jobs:
            await self.reports(self.does(job))
        return len(jobs)

    def does(self, job: Job) -> Result:
        """What the jobs' steps make of the machine, and what the agent says of it."""
        login = next(each for each in self.logins.values() if each.name == job.steps[0].name)
        outcomes = tuple(
            self._sets(job, login, step) if isinstance(step, ResetStep) else self._compares(job, login, step)
            for step in job.steps
        )
        return self.says(job, *outcomes)

    def says(self, job: Job, *outcomes: Outcome) -> Result:
        return Result(
            task=job.task,
            job=job.id,
            agent=self.agent,
            nonce=job.nonce,
            fence=job.fence,
            finished_at=self.world.clock.now(),
            outcomes=outcomes,
        )

    async def reports(
        self,
        result: Result,
        *,
        signing: EllipticCurvePrivateKey | None = None,
        under: str | None = None,
        prefix: Prefix = Prefix.RESULT,
    ) -> str:
        """The gateway stores a signed result under the job that it names."""
        now, job = self.world.clock.now(), under or result.job
        signed = sign(result.to_bytes(), prefix, signing or self.signing)
        document = ResultDocument(
            id=result_id(job, signed),
            job=job,
            agent=self.agent,
            signed=signed,
            created_at=now,
            receipt=await self._receipt(),
        )
        await Results(self.world.desk).insert(document, TaskReported(job=job).envelope(now))
        await Jobs(self.world.desk).close(job)
        self.world.nudge(CollectionName.RESULTS, document.id)
        return document.id

    def _sets(self, job: Job, login: Login, step: ResetStep) -> ResetOutcome:
        generation = Generation.parse(step.password.generation)
        move = decide(login.mark, login.entry, generation)
        answer, reason = ResetAnswer.APPLIED, None
        secret = open_sealed(step.password.sealed, in_flight(step.account, step.password.generation), self.sealing)
        if move is Move.STALE:
            answer, reason = ResetAnswer.REFUSED, Reason.STALE_GENERATION
        elif move is Move.APPLY:
            login.mark = generation
            if login.refuses:
                answer, reason = ResetAnswer.REFUSED, login.refuses
                login.entry = (generation, Entry.REFUSED)
            else:
                login.live = secret
                login.sets.append(generation)
                login.entry = (generation, Entry.APPLIED)
        elif login.live != secret:
            answer, reason = ResetAnswer.REFUSED, Reason.REFUSED_BY_HOST
        del job
        return ResetOutcome(
            account=step.account,
            generation=step.password.generation,
            answer=answer,
            reason=reason,
            fingerprint=login.fingerprint,
        )

    def _compares(self, job: Job, login: Login, step: VerifyStep) -> VerifyOutcome:
        login.mark = max(login.mark, Generation.parse(job.fence))
        if login.cannot_tell:
            return VerifyOutcome(account=step.account, answer=VerifyAnswer.CANNOT_TELL, reason=Reason.HASH_NOT_KNOWN)
        for each in step.candidates:
            secret = open_sealed(each.sealed, in_flight(step.account, each.generation), self.sealing)
            if secret == login.live:
                return VerifyOutcome(
                    account=step.account,
                    answer=VerifyAnswer.OPENS,
                    generation=each.generation,
                    fingerprint=login.fingerprint,
                )
        return VerifyOutcome(account=step.account, answer=VerifyAnswer.DOES_NOT_OPEN, fingerprint=login.fingerprint)
