"""The agent's life: enrol once, then sessions, held polls, jobs and answers, for years, through whatever the network
does.

    enrol (once) -> session -> take newer notices, if there are any -> observe, if the server does not know what it
      sees -> fetch once, perform, report -> renew, if the server says that it is time
      -> poll: mail? fetch, perform, report -> ... until the session ends, then another one

A cut poll is no news, not an error. No refusal makes the agent drop its identity, unless it carries the scheduler's
signed word that it was revoked (`agent.farewell`): then the agent stops, and says what a person can do. An answer that
was lost is made again: the server's fetch brings its job back until a result is stored, and the agent compares again
before it repeats one.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agent.apply import Worker
from agent.backends.preflight import Obstacle
from agent.config import AgentConfig
from agent.enrolment import Enrolment
from agent.farewell import Farewell, NotRevokedError
from agent.follower import Follower
from agent.identity import Enrolled, Identity
from agent.log import Log
from agent.mandate import Mandate, NotMandatedError
from agent.memory import Memory
from agent.moving import Moving
from agent.pace import Pace
from agent.report import Told
from agent.transport import InTheWayError, NoContactError, RefusedError, Transport, TransportError
from agent.trust import Package
from agent.upgrade.upgrading import Upgrade
from agent.watch import Watch
from libs.wire.agent_api import (
    FetchAnswer,
    FetchRequest,
    ObserveAnswer,
    ObserveRequest,
    PollAnswer,
    RenewAnswer,
    RenewRequest,
    ReportAnswer,
    ReportRequest,
    Run,
    RuntimeAnswer,
    RuntimeRequest,
    SessionAnswer,
    SessionRequest,
)
from libs.wire.identity import agent_csr
from libs.wire.renewal import renewal
from libs.wire.sign import Signed
from libs.wire.steps import Step, step

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

_SESSION_ENDS_EARLY = 30.0
_SHORTEST_SESSION = 5.0


_NOT_KNOWN = ("signature_invalid", "agent_unknown")
"""What a server says that lost the certificate of a key."""


class _SessionOverError(Exception):
    """The session's time is over."""


class _SessionRefusedError(_SessionOverError):
    """The server does not know the session any more."""


@dataclass
class Agent:
    """One agent on one host."""

    config: AgentConfig
    package: Package
    identity: Identity
    transport: Transport
    follower: Follower
    moving: Moving
    memory: Memory
    worker: Worker
    watch: Watch
    told: Told
    farewell: Farewell
    pace: Pace
    log: Log
    version: str
    upgrade: Upgrade = field(default_factory=Upgrade)
    host_name: str = ""
    trial: Callable[[], Obstacle | None] = lambda: None
    """Whether passwords could be set now; looked at before each contact, which tells it."""
    run_name: Callable[[], str] = lambda: secrets.token_hex(16)
    sleep: Sleep = asyncio.sleep
    tick: Callable[[], float] = time.monotonic
    _run: tuple[str, int] = ("", 0)
    """This run's name, and how many signed requests it has made."""
    renewal_follows_mail: bool = False
    """Whether every job that lay in the mailbox was answered right before the renewal that is under way."""

    async def run(self) -> None:
        """For ever. Ends by an exception only where a person has to do something on this host.

        Raises:
            NoTokenError: not enrolled, and the package carries no token.
            RevokedError: the scheduler said that this machine's agent is revoked.
            TurnError: a newer program waits to be started.
        """
        self.farewell.at_start()
        if self.identity.enrolled is None:
            await self._patiently(lambda: self.moving.reach(self._enrol))
        enrolled = self._begin_run()
        self.transport.agent = enrolled.agent
        while True:
            session = await self._patiently(lambda: self.moving.reach(lambda: self._session(enrolled)))
            began = self.tick()
            try:
                await self._serve(enrolled, session)
            except _SessionRefusedError:
                if self.tick() - began < _SHORTEST_SESSION:
                    # Two gateways that do not agree, as in the middle of a roll-over, are not asked without a pause.
                    await self.sleep(self.pace.failed())
            except _SessionOverError:
                continue
            except TransportError as error:
                if not _expired(error):
                    await self._failed(error)

    async def answers_what_waits(self) -> Enrolled:
        """One session and its mail: all that an agent does which is about to leave.

        Raises:
            TransportError: one of its kinds.
        """
        enrolled = self._begin_run()
        self.transport.agent = enrolled.agent
        _, ends = await self.moving.reach(lambda: self._session(enrolled))
        await self._mail(enrolled, ends)
        return enrolled

    # ---- beginning

    def _begin_run(self) -> Enrolled:
        """Another run: at each start, and where this one was copied or put back while it ran."""
        self._run = self.run_name(), 0
        return self.identity.started()

    def says(self) -> Run:
        """In which run the next signed request is made."""
        name, count = self._run
        self._run = name, count + 1
        boot = 1 if self.identity.enrolled is None else max(1, self.identity.enrolled.boot)
        return Run(id=name, boot=boot, count=count + 1, host_name=self.host_name)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await attempt()
            except TransportError as error:
                await self._failed(error)

    async def _failed(self, error: TransportError) -> None:
        await self.heed(error)
        if isinstance(error, RefusedError) and error.code == "run_over":
            self._begin_run()
        wait = self.pace.failed()
        self.log.say("no contact", code=error.code, why=str(error), again_in=round(wait, 1))
        stuck = isinstance(error, RefusedError) and error.needs_a_person
        self.told.problem(f"{error.code}: {error}", needs_a_person=stuck)
        await self.sleep(wait)

    async def heed(self, error: TransportError) -> None:
        """Ends the agent where the scheduler says so itself; whoever else says it is only tried again later."""
        signed = error.problem.revocation if isinstance(error, RefusedError) else None
        if signed is None:
            return None
        try:
            revoked = self.farewell.believe(signed)
        except NotRevokedError as why:
            # The scheduler may have another key by now, which no session can tell a revoked agent of.
            if await self.follower.follow():
                return await self.heed(error)
            self.log.say("a revocation was not believed", code="revocation_not_trusted", why=str(why))
            return None
        self.log.say("revoked", why=str(revoked))
        raise revoked

    async def _enrol(self) -> None:
        enrolment = Enrolment(self.config, self.package, self.identity, self.transport, self.version)
        enrolled = await enrolment.enrol()
        self.farewell.admitted()
        self.log.say("enrolled", agent=enrolled.agent, resource=enrolled.resource)

    async def _session(self, enrolled: Enrolled, *, renewed: bool = False) -> tuple[SessionAnswer, float]:
        """A new session by the key that counts, and the moment at which it ends by the monotonic clock."""
        successor = self.identity.successor
        self.transport.key = self.identity.keys.signing if successor is None else successor.signing
        try:
            session = await self._open(enrolled)
        except RefusedError as error:
            if _expired(error) and not renewed:
                # The signature counted, or the server would have said that first.
                self._seen_in_use()
                await self._renew(enrolled)
                self.renewal_follows_mail = False
                return await self._session(enrolled, renewed=True)
            if successor is not None and error.code in _NOT_KNOWN:
                self.identity.disowned()
            raise
        self._seen_in_use()
        return session

    def _seen_in_use(self) -> None:
        """The server took a signature by the key of this session."""
        if self.identity.successor is not None:
            self.identity.renewed(answered=self.renewal_follows_mail)
            self.log.say("renewed")

    async def _renew(self, enrolled: Enrolled) -> None:
        """A certificate for the next pair, which the present key asks for. The next session is signed by the next."""
        pair = self.identity.prepare()
        csr = agent_csr(pair.signing, pair.sealing.public_key())
        request = RenewRequest(
            agent=enrolled.agent, renewal=renewal(enrolled.agent, csr, self.identity.keys.signing), run=self.says()
        )
        answer = await self.transport.send_signed("/agent/v1/renew", request, RenewAnswer)
        self.identity.certified(answer.certificate)

    async def _open(self, enrolled: Enrolled) -> tuple[SessionAnswer, float]:
        began, run = self.tick(), self.says()
        if (obstacle := await asyncio.to_thread(self.trial)) is not None:
            self.told.failures.note(obstacle.reason, obstacle.sentence, self.transport.clock())
        request = SessionRequest(
            agent=enrolled.agent,
            agent_version=self.version,
            boot=run.boot,
            sequence=self.identity.enrolled.sequence if self.identity.enrolled else 0,
            digest=await self.watch.digest(),
            notice=self.follower.trust.serial,
            place=self.transport.place if len(self.moving.path) > 1 else None,
            astray=self.moving.astray,
            clock=self.transport.clock(),
            run=run,
            upgrade=self.upgrade.news,
            said=self.told.failures.untold,
        )
        answer = await self.transport.send_signed("/agent/v1/session", request, SessionAnswer)
        self.transport.offset = answer.server_time - self.transport.clock()
        self.told.failures.told(request.said)
        self._answered()
        self.upgrade.told()
        return answer, began + answer.expires_in - min(_SESSION_ENDS_EARLY, answer.expires_in / 2)

    def _answered(self) -> None:
        self.pace.answered()
        self.told.answered()

    # ---- serving

    async def _serve(self, enrolled: Enrolled, session: tuple[SessionAnswer, float]) -> None:
        answer, ends = session
        if answer.notice > self.follower.trust.serial:
            if await self.follower.follow():
                # The next session tells the server that this agent follows.
                raise _SessionOverError
            # An answer that was lost, or something between: it is not left at that for as long as a session lasts.
            ends = min(ends, self.tick() + self.config.schedule_interval)
        self.upgrade.offered(answer.upgrade, answer.server_time)
        if self.upgrade.untold:
            raise _SessionOverError
        if answer.observe or self.watch.due(self.tick()):
            await self._observe(enrolled)
        ends = await self._mail(enrolled, ends)
        if answer.renew:
            await self._renew_in_time(enrolled)
        while self.tick() < ends and not self.upgrade.untold:
            if await self._watching(enrolled, self._poll(answer, ends)):
                ends = await self._mail(enrolled, ends)

    async def _renew_in_time(self, enrolled: Enrolled) -> None:
        """Renews, and ends the session by it. Where that fails there is still a third of the certificate's life."""
        try:
            await self._renew(enrolled)
        except TransportError as error:
            self.log.say("not renewed", code=error.code, why=str(error))
            return
        self.renewal_follows_mail = True
        raise _SessionOverError

    async def _watching(self, enrolled: Enrolled, poll: Coroutine[Any, Any, bool]) -> bool:
        """What the poll says. While it is held the account files are looked at, and a change is told at once."""
        polling = asyncio.ensure_future(poll)
        try:
            while not polling.done():
                if self.watch.changed():
                    await self._observe(enrolled)
                await self.upgrade.work(self._piece)
                if self.upgrade.untold:
                    return False
                await asyncio.wait({polling}, timeout=self.upgrade.pause)
            return polling.result()
        finally:
            polling.cancel()

    async def _poll(self, session: SessionAnswer, ends: float) -> bool:
        """Whether there is mail. Held by the server; what is cut or answered by something between is no news."""
        wait = max(1.0, min(self.pace.hold(float(session.hold)), ends - self.tick(), self.upgrade.hold))
        began = self.tick()
        try:
            answer = await self.transport.poll(f"/agent/v1/poll?wait={int(wait)}", session.token, PollAnswer, hold=wait)
        except RefusedError as error:
            if error.problem.status in (401, 403):
                raise _SessionRefusedError from error
            raise
        except (NoContactError, InTheWayError) as error:
            lasted = self.tick() - began
            if lasted < 1.0:
                raise
            self.pace.cut_after(lasted)
            self.log.say("a held poll was cut", after=round(lasted, 1), code=error.code)
            return False
        self._answered()
        self.upgrade.polled()
        lasted = self.tick() - began
        if not answer.mail and lasted >= wait - 1.0:
            self.pace.held()
        if not answer.mail and lasted < wait / 2:
            # A server that does not hold polls is asked at the operator's interval, as a plain poller would.
            await self.sleep(min(float(self.config.schedule_interval), wait))
        return answer.mail

    async def _mail(self, enrolled: Enrolled, ends: float) -> float:
        """Fetches, performs and reports. What was fetched before and not reported comes again.

        Returns when the session shall end. After a job that was refused it is soon: it may come again as it should be,
        or by a key that a newer notice names.
        """
        fetched = await self.transport.send_signed(
            "/agent/v1/fetch", FetchRequest(agent=enrolled.agent, run=self.says()), FetchAnswer
        )
        if fetched.jobs:
            step(Step.AGENT_FETCHED)
        mandate = Mandate(self.follower.trust, self.identity.keys, enrolled)
        for signed in fetched.jobs:
            result = await self._perform(mandate, signed)
            if result is None:
                ends = min(ends, self.tick() + self.config.schedule_interval)
            else:
                report = ReportRequest(agent=enrolled.agent, results=(result,), run=self.says())
                await self.transport.send_signed("/agent/v1/report", report, ReportAnswer)
                step(Step.AGENT_ACKNOWLEDGED)
        if fetched.observe or (fetched.jobs and self.watch.changed()):
            await self._observe(enrolled)
        return ends

    async def _perform(self, mandate: Mandate, signed: Signed) -> Signed | None:
        try:
            job = mandate.job(signed)
        except NotMandatedError as error:
            self.log.say("a job was refused", code="job_not_trusted", why=str(error))
            self.told.problem(f"job_not_trusted: a job was {error}")
            return None
        began = self.tick()
        result = await self.worker.perform(job, signed)
        self.log.say("job done", job=job.id, task=job.task, seconds=round(self.tick() - began, 3))
        return result

    async def _piece(self, runtime: str, offset: int) -> bytes:
        request = RuntimeRequest(agent=self.transport.agent, runtime=runtime, offset=offset, run=self.says())
        return (await self.transport.send_signed("/agent/v1/runtime", request, RuntimeAnswer)).piece

    async def _observe(self, enrolled: Enrolled) -> None:
        observation = await self.watch.observation(enrolled, self.transport.clock())
        await self.transport.send_signed(
            "/agent/v1/observe",
            ObserveRequest(agent=enrolled.agent, observation=observation, run=self.says()),
            ObserveAnswer,
        )
        step(Step.AGENT_OBSERVED)


def _expired(error: TransportError) -> bool:
    """Whether the server took the signature, and its certificate's end has passed: the next thing is to renew."""
    return isinstance(error, RefusedError) and error.code == "certificate_expired"
