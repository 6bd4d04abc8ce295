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
from libs.domain.state import Generation, Status, Version, VersionState
from libs.service.clock import Clock
from libs.store.results import ResultDocument, Results
from libs.vault.open import Opener
from libs.wire.envelope import Envelope
from libs.wire.events import TaskReported
from libs.wire.results import Outcome, VerifyAnswer, VerifyOutcome
from libs.wire.seal import CannotOpenError
from libs.wire.steps import Step, step
from services.scheduler.episodes import Episodes
from services.scheduler.ledger import Ledger
from services.scheduler.nonces import Nonces
from services.scheduler.pins import NotBelievedError
from services.scheduler.trusted import Agents

log = structlog.get_logger()


@dataclass(frozen=True)
class Reports:
    """Takes results from the gateway's desk."""

    results: Results
    agents: Agents
    ledger: Ledger
    episodes: Episodes
    nonces: Nonces
    opener: Opener
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
                    recovered=self._recovered(outcome, now),
                    result=result,
                    outcome=outcome,
                    resource=identity.resource,
                    next_nonce=self.nonces.fresh(),
                    now=now,
                    receipt=document.receipt,
                )
                account = await self.ledger.turn(outcome.account, rule)
                if account.rotation.flight is not None or (
                    account.rotation.status is Status.UNCERTAIN and not _cannot_compare(outcome)
                ):
                    await self.episodes.begin(account)  # the next part of a comparison, or a first one
        except (NotBelievedError, StaleAnswerError, RuleError) as error:
            log.warning("a result does not count", job=document.job, agent=document.agent, why=str(error))
            return str(error)
        return None

    def _recovered(self, outcome: Outcome, now: int) -> tuple[Version, ...]:
        """What the agent's escrow held beside the known versions; what does not open is not kept."""
        found = []
        for each in outcome.escrow if isinstance(outcome, VerifyOutcome) else ():
            try:
                self.opener.at_rest(each.sealed, outcome.account, each.generation)
            except CannotOpenError as error:
                log.error(
                    "an escrow does not open", account=outcome.account, generation=each.generation, why=str(error)
                )
                continue
            generation = Generation.parse(each.generation)
            found.append(Version(generation, VersionState.OFFERED, now, each.sealed, now))
            log.warning("a password came back from escrow", account=outcome.account, version=each.generation)
        return tuple(found)


def _cannot_compare(outcome: Outcome) -> bool:
    """Whether the agent could not compare: asked again at once it would say the same again, for as long as that lasts.
    The sweeper asks again in a while.
    """
    return isinstance(outcome, VerifyOutcome) and outcome.answer is VerifyAnswer.CANNOT_TELL
