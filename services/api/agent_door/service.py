"""What an agent does after its request was admitted: contact, fetch, report, observe. Each is safe to repeat."""

from collections.abc import Callable
from dataclasses import replace

from libs.pki.check import AgentIdentity, Standing
from libs.store.errors import OutcomeUnknownError
from libs.store.jobs import JobDocument, Jobs, JobState
from libs.store.observations import ObservationDocument, Observations
from libs.store.presence import Presence, Presences
from libs.store.receipts import Receipts
from libs.store.results import ResultDocument, Results, result_id
from libs.store.schema import CollectionName
from libs.wire.agent_api import (
    MAX_HOLD_SECONDS,
    FetchAnswer,
    ObserveRequest,
    ReportAnswer,
    ReportRequest,
    SessionAnswer,
    SessionRequest,
)
from libs.wire.events import AgentFetched, AgentObserved, TaskReported
from libs.wire.observations import Observation, digest
from libs.wire.results import Result
from libs.wire.sign import BadSignatureError, Prefix, Signed, verify
from libs.wire.steps import Step, step
from services.api.agent_door.identities import Certified
from services.api.agent_door.noticeboard import Noticeboard
from services.api.agent_door.offers import Offers
from services.api.agent_door.presence import Heard
from services.api.agent_door.said import kept
from services.api.agent_door.tokens import LIFETIME_SECONDS, SessionTokens
from services.api.errors import InvalidError
from services.api.nudge import Nudge

_ON_ITS_WAY_SECONDS = 2

_ROLLED_SECONDS = 60
"""A session by a certificate whose authority is not the one in use: the bundler may issue by that one soon."""


class AgentDoor:
    """The agents' side of the gateway. `clock` in Unix milliseconds."""

    def __init__(
        self,
        jobs: Jobs,
        results: Results,
        observations: Observations,
        presences: Presences,
        receipts: Receipts,
        *,
        tokens: SessionTokens,
        heard: Heard,
        board: Noticeboard,
        offers: Offers,
        clock: Callable[[], int],
        nudge: Nudge,
        dismiss: Callable[[str], None],
    ) -> None:
        self._jobs, self._results, self._observations, self._presences = jobs, results, observations, presences
        self._receipts, self._board, self._offers = receipts, board, offers
        self._tokens, self._heard, self._clock, self._nudge = tokens, heard, clock, nudge
        self._dismiss = dismiss

    async def session(self, admitted: Certified, body: SessionRequest, address: str) -> SessionAnswer:
        """A contact: what changed is written, a token for polls is given, and the agent is told to renew in time."""
        now, agent = self._clock(), admitted.identity.agent
        before = await self._presences.get(agent)
        known = "" if before is None or before.epoch != self._tokens.epoch else before.digest
        after = Presence(
            id=agent,
            last_seen=now,
            address=address,
            version=body.agent_version,
            digest=known,
            epoch=self._tokens.epoch,
            boot=body.boot,
            sequence=body.sequence,
            notice=body.notice,
            place="" if body.place is None else str(body.place),
            astray=body.astray,
            skew=_skew(body.clock, now),
            upgrade=None if body.upgrade is None else body.upgrade.release,
            upgrade_code="" if body.upgrade is None else body.upgrade.code,
            upgrade_detail="" if body.upgrade is None else body.upgrade.detail,
            look_asked=None if before is None else before.look_asked,
            said=kept(() if before is None else before.said, body, now),
        )
        if before is not None and replace(before, last_seen=now) == after:
            self._heard.note(agent)
        else:
            await self._presences.contact(after)
        self._dismiss(agent)  # a poll of an earlier session, of whoever holds it
        return SessionAnswer(
            token=self._tokens.make(agent, now),
            expires_in=_until_renewal(admitted, now),
            hold=MAX_HOLD_SECONDS,
            server_time=now,
            observe=admitted.mail and (known != body.digest or after.look_asked is not None),
            renew=now >= admitted.renew_at,
            notice=self._board.newest if self._board.newest > body.notice else 0,
            upgrade=await self._offers.newer_than(body.agent_version),
        )

    async def fetch(self, admitted: Certified) -> FetchAnswer:
        """The agent's jobs: what waits, which is offered by this, and what it fetched before and has not answered.

        None while it is not known which machine this is.
        """
        identity = admitted.identity
        self._heard.note(identity.agent)
        if not admitted.mail:
            return FetchAnswer(jobs=())
        jobs = [job for job in await self._jobs.of_agent(identity.agent) if await self._offered(job)]
        presence = await self._presences.get(identity.agent)
        return FetchAnswer(
            jobs=tuple(job.signed for job in jobs if job.signed is not None),
            observe=presence is not None and presence.look_asked is not None,
        )

    async def _offered(self, job: JobDocument) -> bool:
        """Whether the agent has the job from now on; not when it was withdrawn meanwhile."""
        if job.state is not JobState.WAITING:
            return True
        now = self._clock()
        try:
            if await self._jobs.fetch(job.id, now, AgentFetched(job=job.id).envelope(now)):
                step(Step.GATEWAY_JOB_FETCHED)
                self._nudge(CollectionName.JOBS, job.id)
                return True
        except OutcomeUnknownError:
            pass
        found = await self._jobs.get(job.id)
        return found is not None and found.state is JobState.FETCHED

    async def report(self, identity: AgentIdentity, body: ReportRequest) -> ReportAnswer:
        """Stores results; the scheduler believes them once it has checked them too.

        Raises:
            InvalidError: a result is not signed by this agent, or tells of another one; nothing is stored then.
        """
        self._heard.note(identity.agent)
        read = [(signed, self._result(identity, signed, n)) for n, signed in enumerate(body.results)]
        await self._forget_digest(identity.agent)
        for signed, result in read:
            now = self._clock()
            document = ResultDocument(
                id=result_id(result.job, signed),
                job=result.job,
                agent=identity.agent,
                signed=signed,
                created_at=now,
                receipt=await self._receipts.next(identity.resource, now),
            )
            # A repeat meets itself, and its event is in the outbox already or was published.
            await self._results.insert(document, TaskReported(job=result.job).envelope(now))
            step(Step.GATEWAY_RESULT_STORED)
            self._nudge(CollectionName.RESULTS, document.id)
            job = await self._jobs.get(result.job)
            if job is not None and job.agent == identity.agent:
                await self._jobs.close(job.id)
                step(Step.GATEWAY_JOB_CLOSED)
        return ReportAnswer(stored=tuple(result.job for _, result in read))

    async def _forget_digest(self, agent: str) -> None:
        """The last observation is older than this report: the next session asks for one, whatever the host shows then.

        A host that is put back to before a reset looks exactly as it did at its last observation, if it was put back
        before the one that follows each job.
        """
        before = await self._presences.get(agent)
        if before is not None and before.digest:
            await self._presences.contact(replace(before, last_seen=self._clock(), digest=""))

    def _result(self, identity: AgentIdentity, signed: Signed, n: int) -> Result:
        try:
            result = Result.model_validate_json(verify(signed, Prefix.RESULT, identity.public_key))
        except (BadSignatureError, ValueError) as error:
            raise InvalidError(f"results.{n}", "It is no result that this agent signed.", "result_invalid") from error
        if result.agent != identity.agent:
            raise InvalidError(f"results.{n}", "It is another agent's result.", "result_invalid")
        return result

    async def observe(self, admitted: Certified, body: ObserveRequest) -> None:
        """Stores an observation, and keeps its digest for the sessions to come.

        While it is not known which machine this is the digest is not kept: the scheduler may not believe it, so the
        machine is asked again. A digest counts in the epoch in which it was told: it may reach a store that was put
        back meanwhile, which the observation itself did not.

        Raises:
            InvalidError: it is not signed by this agent, or tells of another one.
        """
        identity, epoch = admitted.identity, self._tokens.epoch
        try:
            raw = verify(body.observation, Prefix.OBSERVATION, identity.public_key)
            seen = Observation.model_validate_json(raw)
        except (BadSignatureError, ValueError) as error:
            sentence = "It is no observation that this agent signed."
            raise InvalidError("observation", sentence, "observation_invalid") from error
        if (seen.agent, seen.resource) != (identity.agent, identity.resource):
            raise InvalidError("observation", "It is of another agent or resource.", "observation_invalid")
        now = self._clock()
        receipt = await self._receipts.next(identity.resource, now)
        document = ObservationDocument(
            id=seen.id, agent=identity.agent, signed=body.observation, created_at=now, receipt=receipt
        )
        await self._observations.insert(document, AgentObserved(observation=seen.id).envelope(now))
        step(Step.GATEWAY_OBSERVATION_STORED)
        self._nudge(CollectionName.OBSERVATIONS, seen.id)
        before = await self._presences.get(identity.agent)
        found = Presence(id=identity.agent, last_seen=now) if before is None else before
        shown = digest(seen.accounts) if admitted.mail else ""
        await self._presences.contact(
            replace(found, last_seen=now, digest=shown, epoch=epoch, sequence=seen.sequence, look_asked=None)
        )


def _until_renewal(admitted: Certified, now: int) -> int:
    """How long the agent keeps this session, in seconds: the next one tells it to renew, or to try again."""
    until = admitted.renew_at if now < admitted.renew_at else admitted.identity.not_after
    most = LIFETIME_SECONDS if admitted.identity.standing is Standing.IN_USE else _ROLLED_SECONDS
    return max(1, min((until - now) // 1000 + 1, most))


def _skew(clock: int | None, now: int) -> int | None:
    """How far the host's clock is ahead, in seconds; what the request took on its way is not counted as being off."""
    if clock is None:
        return None
    seconds = round((clock - now) / 1000)
    return 0 if abs(seconds) <= _ON_ITS_WAY_SECONDS else seconds
