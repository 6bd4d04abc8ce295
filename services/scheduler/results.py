"""What agents answered: checked against the agent, the account, the generation, the nonce and the fence, and only then
believed.

An answer that does not count is kept with the reason and changes nothing (invariant I9). What the agent cannot tell
makes the account UNCERTAIN.
"""

from dataclasses import dataclass
from functools import partial

import structlog

from libs.domain.accounts import Account
from libs.domain.errors import RuleError, StaleAnswerError
from libs.domain.rotation import applied, cannot_tell, compared, lost, refused
from libs.domain.state import Change, Generation, Status
from libs.pki.check import AgentIdentity
from libs.service.clock import Clock
from libs.store.results import ResultDocument, Results
from libs.wire.envelope import Envelope
from libs.wire.events import TaskReported
from libs.wire.reasons import Reason
from libs.wire.results import Outcome, ResetAnswer, ResetOutcome, Result, VerifyAnswer, VerifyOutcome
from services.scheduler.episodes import Episodes
from services.scheduler.ledger import Ledger
from services.scheduler.nonces import Nonces
from services.scheduler.trusted import Agents, NotBelievedError

log = structlog.get_logger()


@dataclass(frozen=True)
class Reports:
    """Takes results from the gateway's desk."""

    results: Results
    agents: Agents
    ledger: Ledger
    episodes: Episodes
    nonces: Nonces
    clock: Clock

    async def reported(self, envelope: Envelope) -> None:
        """A result was stored."""
        await self.take(TaskReported.read(envelope).job)

    async def take(self, job: str) -> None:
        """Believes the results of this job, each once."""
        while (document := await self.results.of_job(job)) is not None and not document.taken:
            why = await self._believe(document)
            await self.results.mark_taken(document.id, why=why)

    async def _believe(self, document: ResultDocument) -> str | None:
        """Why the result does not count, or None."""
        try:
            identity, result = await self.agents.result(document.signed, document.agent)
            if result.job != document.job:
                raise NotBelievedError(f"filed under {document.job}, signed for {result.job}")
            now = min(document.created_at, self.clock.now())
            for outcome in result.outcomes:
                rule = partial(self._rule, identity=identity, result=result, outcome=outcome, now=now)
                account = await self.ledger.turn(outcome.account, rule)
                if account.rotation.status is Status.UNCERTAIN and account.rotation.flight is None:
                    await self.episodes.begin(account)
        except (NotBelievedError, StaleAnswerError, RuleError) as error:
            log.warning("a result does not count", job=document.job, agent=document.agent, why=str(error))
            return str(error)
        return None

    def _rule(self, account: Account, *, identity: AgentIdentity, result: Result, outcome: Outcome, now: int) -> Change:
        if account.resource != identity.resource:
            raise NotBelievedError(f"{identity.agent} speaks for {identity.resource}, not for {account.resource}")
        if isinstance(outcome, ResetOutcome):
            return self._reset(account, result, outcome, now)
        return self._verify(account, result, outcome, now)

    def _reset(self, account: Account, result: Result, outcome: ResetOutcome, now: int) -> Change:
        r, generation = account.rotation, Generation.parse(outcome.generation)
        if outcome.answer is ResetAnswer.APPLIED:
            return applied(
                r,
                task=result.task,
                generation=generation,
                nonce=result.nonce,
                now=now,
                fingerprint=outcome.fingerprint,
                remarks=outcome.remarks,
            )
        if outcome.answer is ResetAnswer.REFUSED:
            return refused(
                r,
                task=result.task,
                generation=generation,
                nonce=result.nonce,
                now=now,
                reason=outcome.reason or Reason.REFUSED_BY_HOST,
                detail=outcome.detail,
                fingerprint=outcome.fingerprint,
            )
        flight = r.flight
        if flight is None or (flight.task, flight.nonce, flight.generation) != (result.task, result.nonce, generation):
            raise StaleAnswerError(f"{result.task} with {generation} is not in flight")
        return lost(r, task=result.task, now=now)

    def _verify(self, account: Account, result: Result, outcome: VerifyOutcome, now: int) -> Change:
        r = account.rotation
        if outcome.answer is VerifyAnswer.CANNOT_TELL:
            return cannot_tell(
                r,
                task=result.task,
                nonce=result.nonce,
                now=now,
                reason=outcome.reason or Reason.HASH_NOT_KNOWN,
                detail=outcome.detail,
            )
        opens = None
        if outcome.answer is VerifyAnswer.OPENS:
            if outcome.generation is None:
                raise StaleAnswerError("it does not say which generation opens")
            opens = Generation.parse(outcome.generation)
        return compared(
            r,
            task=result.task,
            nonce=result.nonce,
            fence=Generation.parse(result.fence),
            opens=opens,
            next_nonce=self.nonces.fresh(),
            now=now,
            fingerprint=outcome.fingerprint,
            remarks=outcome.remarks,
        )
