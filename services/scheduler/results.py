"""What agents answered: checked against the agent, the account, the generation, the nonce and the fence, and only then
believed.

An answer that does not count is kept with the reason and changes nothing (invariant I9). What the agent cannot tell
makes the account UNCERTAIN.
"""

from dataclasses import dataclass
from functools import partial

import structlog

from libs.domain.answers import answered
from libs.domain.errors import RuleError, StaleAnswerError
from libs.domain.state import Status
from libs.service.clock import Clock
from libs.store.results import ResultDocument, Results
from libs.wire.envelope import Envelope
from libs.wire.events import TaskReported
from libs.wire.steps import Step, step
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
            step(Step.SCHEDULER_RESULT_TAKEN)

    async def _believe(self, document: ResultDocument) -> str | None:
        """Why the result does not count, or None."""
        try:
            identity, result = await self.agents.result(document.signed, document.agent)
            if result.job != document.job:
                raise NotBelievedError(f"filed under {document.job}, signed for {result.job}")
            step(Step.SCHEDULER_RESULT_CHECKED)
            now = min(document.created_at, self.clock.now())
            for outcome in result.outcomes:
                rule = partial(
                    answered,
                    result=result,
                    outcome=outcome,
                    resource=identity.resource,
                    next_nonce=self.nonces.fresh(),
                    now=now,
                )
                account = await self.ledger.turn(outcome.account, rule)
                if account.rotation.status is Status.UNCERTAIN and account.rotation.flight is None:
                    await self.episodes.begin(account)
        except (NotBelievedError, StaleAnswerError, RuleError) as error:
            log.warning("a result does not count", job=document.job, agent=document.agent, why=str(error))
            return str(error)
        return None
