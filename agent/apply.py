"""Carrying out a job: journal the intent, set, compare, journal the end, and answer what was seen.

What the agent cannot tell it calls unknown: a tool that is still at work, a field that changed although the host
refused, a password that does not open after it was set. It says "refused" only where the new password is compared not
live and the password field is as it was, or where it did not begin and never will.
"""

import asyncio
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from agent.backends.ports import Backend, Comparison, Opens, Reaped, SetAnswer, SetOutcome
from agent.identity import Keys
from agent.journal import JournalUnwritableError
from agent.memory import Memory
from libs.domain.moves import Entry, Look, Move, decide, looked_again, not_live, settled
from libs.domain.state import Generation
from libs.wire import steps
from libs.wire.jobs import MAX_CANDIDATES, Candidate, Job, ResetStep, VerifyStep
from libs.wire.reasons import Reason, Remark
from libs.wire.results import Outcome, ResetAnswer, ResetOutcome, Result, VerifyAnswer, VerifyOutcome
from libs.wire.seal import CannotOpenError, Context, Purpose, open_sealed
from libs.wire.secret import Secret
from libs.wire.settable import why_not_settable
from libs.wire.sign import Prefix, Signed, sign

_DETAIL = 300
_CHANGED = "it was set, and somebody changed it before it could be compared again"


class Clock(Protocol):
    """The two clocks of an agent, in Unix milliseconds."""

    def clock(self) -> int:
        """The host's."""
        ...

    def server_now(self) -> int:
        """The server's, as far as it is known: deadlines are held against this one."""
        ...


@dataclass
class Worker:
    """Carries out jobs, one at a time."""

    backend: Backend
    memory: Memory
    keys: Keys
    clock: Clock

    def __post_init__(self) -> None:
        self._alone = asyncio.Lock()

    async def perform(self, job: Job, signed: Signed) -> Signed:
        """The signed result. A job that was carried out before is compared again, never carried out again."""
        async with self._alone:
            outcomes: list[Outcome] = []
            for step in job.steps:
                if isinstance(step, ResetStep):
                    outcomes.append(await self._reset(job, signed, step))
                else:
                    outcomes.append(await self._verify(job, step))
            result = Result(
                task=job.task,
                job=job.id,
                agent=job.agent,
                nonce=job.nonce,
                fence=job.fence,
                finished_at=self.clock.clock(),
                outcomes=tuple(outcomes),
            )
            signed_result = sign(result.to_bytes(), Prefix.RESULT, self.keys.signing)
            steps.step(steps.Step.AGENT_RESULT_SIGNED)
            return signed_result

    # ---- reset

    async def _reset(self, job: Job, signed: Signed, step: ResetStep) -> ResetOutcome:
        generation = Generation.parse(step.password.generation)
        move = decide(self.memory.mark(step.account), self.memory.last(step.account), generation)
        if move is Move.STALE:
            # Not begun now, but an older run of this host may have: only a comparison can tell.
            return self._reset_outcome(step, ResetAnswer.UNKNOWN, Reason.STALE_GENERATION)
        try:
            secret = self._open(step.account, step.password)
        except CannotOpenError:
            answer = ResetAnswer.REFUSED if move is Move.APPLY else ResetAnswer.UNKNOWN
            return self._reset_outcome(step, answer, Reason.JOB_NOT_TRUSTED)
        if move is not Move.APPLY:
            return await self._look_again(job, signed, step, secret, move)
        if why := why_not_settable(secret):
            return self._reset_outcome(step, ResetAnswer.REFUSED, Reason.PASSWORD_NOT_SETTABLE, why)
        if not_now := await self._why_not_now(job, step):
            return self._not_begun(step, *not_now)
        return await self._set(signed, step, secret)

    async def _why_not_now(self, job: Job, step: ResetStep) -> tuple[Reason, str] | None:
        """Why the agent does not even begin, although it might if the job came at another moment."""
        if self.clock.server_now() > job.deadline:
            return Reason.JOB_TOO_LATE, ""
        return await self._quiet(step.account)

    def _not_begun(self, step: ResetStep, reason: Reason, detail: str) -> ResetOutcome:
        """Refused, once the generation is fenced off: the job may come again at a better moment, and must end as told.

        A gateway that dies between keeping a result and closing its job hands the job out once more.
        """
        try:
            self.memory.fence(step.account, step.password.generation)
        except JournalUnwritableError as error:
            return self._reset_outcome(step, ResetAnswer.UNKNOWN, Reason.JOURNAL_UNWRITABLE, str(error))
        return self._reset_outcome(step, ResetAnswer.REFUSED, reason, detail)

    async def _look_again(self, job: Job, signed: Signed, step: ResetStep, secret: Secret, move: Move) -> ResetOutcome:
        """A generation that this or an earlier run began: compare first, whatever the journal says."""
        generation = Generation.parse(step.password.generation)
        if busy := await self._quiet(step.account):
            return self._reset_outcome(step, ResetAnswer.UNKNOWN, *busy)
        shown = await self.backend.fingerprint(step.name, step.uid, self.keys.prints)
        seen = await self.backend.compare(step.name, step.uid, secret)
        steps.step(steps.Step.AGENT_COMPARED, "again")
        opens = None if seen.opens is Opens.CANNOT_TELL else seen.opens is Opens.OPENS
        look = looked_again(move, opens=opens, in_time=self.clock.server_now() <= job.deadline)
        if look is Look.APPLIED:
            self._ended(step.account, generation, Entry.APPLIED)
            return self._applied(step, seen.remarks, shown)
        if look is Look.UNKNOWN:
            return self._reset_outcome(step, ResetAnswer.UNKNOWN, _reason(seen.reason), seen.detail)
        if look is Look.SET:
            return await self._set(signed, step, secret)
        return await self._not_live(step, Reason.REFUSED_BY_HOST if move is Move.REPORT_AGAIN else Reason.JOB_TOO_LATE)

    async def _set(self, signed: Signed, step: ResetStep, secret: Secret) -> ResetOutcome:
        generation = Generation.parse(step.password.generation)
        if self.memory.last(step.account) != (generation, Entry.INTENT):
            before = await self.backend.fingerprint(step.name, step.uid, self.keys.prints)
            try:
                self.memory.begin(signed, step, before)
            except JournalUnwritableError as error:
                return self._reset_outcome(step, ResetAnswer.UNKNOWN, Reason.JOURNAL_UNWRITABLE, str(error))
        try:
            answer = await self.backend.set(
                step.name,
                step.uid,
                secret,
                unlock=step.unlock,
                started=lambda pid, birth: self.memory.started(step.account, pid, birth),
            )
        except JournalUnwritableError as error:
            # The tool was killed before it was given anything.
            return await self._not_live(step, Reason.JOURNAL_UNWRITABLE, str(error))
        return await self._after_set(step, secret, answer)

    async def _after_set(self, step: ResetStep, secret: Secret, answer: SetAnswer) -> ResetOutcome:
        generation = Generation.parse(step.password.generation)
        steps.step(steps.Step.AGENT_COMPARED, "reset")
        if answer.outcome is SetOutcome.UNKNOWN:
            return self._reset_outcome(step, ResetAnswer.UNKNOWN, _reason(answer.reason), answer.detail)
        if answer.outcome is SetOutcome.REFUSED:
            return await self._not_live(step, _reason(answer.reason), answer.detail)
        # Where this cannot be journalled the intent stands, and a later run compares and finds the same.
        self._ended(step.account, generation, Entry.APPLIED)
        shown = await self.backend.fingerprint(step.name, step.uid, self.keys.prints)
        if (await self.backend.compare(step.name, step.uid, secret)).opens is not Opens.OPENS:
            return self._reset_outcome(step, ResetAnswer.UNKNOWN, Reason.REFUSED_BY_HOST, _CHANGED)
        return self._applied(step, answer.remarks, shown)

    def _applied(self, step: ResetStep, remarks: frozenset[Remark], shown: str | None) -> ResetOutcome:
        """`shown` is the field's fingerprint from before the comparison.

        One from after it might be of what somebody has set in between, and no later contact would differ from it.
        """
        return ResetOutcome(
            account=step.account,
            generation=step.password.generation,
            answer=ResetAnswer.APPLIED,
            remarks=_remarks(remarks),
            fingerprint=shown,
        )

    async def _not_live(self, step: ResetStep, reason: Reason, detail: str = "") -> ResetOutcome:
        """Refused, where the field is as it was before; unknown, where it is not, or that cannot be journalled."""
        generation = Generation.parse(step.password.generation)
        after = await self.backend.fingerprint(step.name, step.uid, self.keys.prints)
        entry = not_live(as_before=after == self.memory.before(step.account, generation))
        if entry is None or not self._ended(step.account, generation, entry):
            return self._reset_outcome(step, ResetAnswer.UNKNOWN, reason, detail)
        return self._reset_outcome(step, ResetAnswer.REFUSED, reason, detail, after)

    def _reset_outcome(
        self,
        step: ResetStep,
        answer: ResetAnswer,
        reason: Reason | None = None,
        detail: str = "",
        fingerprint: str | None = None,
    ) -> ResetOutcome:
        return ResetOutcome(
            account=step.account,
            generation=step.password.generation,
            answer=answer,
            reason=reason,
            detail=detail[:_DETAIL] or None,
            fingerprint=fingerprint,
        )

    # ---- verify

    async def _verify(self, job: Job, step: VerifyStep) -> VerifyOutcome:
        """The comparison's answer, with what is in escrow here and not known there: the server may have lost it."""
        outcome = await self._compare(job, step)
        held = (each for each in self.memory.escrow(step.account) if each.generation not in step.known)
        return outcome.model_copy(update={"escrow": tuple(islice(held, MAX_CANDIDATES))})

    async def _compare(self, job: Job, step: VerifyStep) -> VerifyOutcome:
        try:
            self.memory.fence(step.account, job.fence)
        except JournalUnwritableError as error:
            return _cannot_tell(step, Reason.JOURNAL_UNWRITABLE, str(error))
        if busy := await self._quiet(step.account):
            return _cannot_tell(step, *busy)
        shown = await self.backend.fingerprint(step.name, step.uid, self.keys.prints)
        unsure: Comparison | None = None
        for candidate in step.candidates:
            try:
                secret = self._open(step.account, candidate)
            except CannotOpenError:
                return _cannot_tell(step, Reason.JOB_NOT_TRUSTED, f"version {candidate.generation} does not open")
            seen = await self.backend.compare(step.name, step.uid, secret)
            steps.step(steps.Step.AGENT_COMPARED, "verify")
            if seen.opens is Opens.OPENS:
                self._settle(step.account, candidate.generation)
                return VerifyOutcome(
                    account=step.account,
                    answer=VerifyAnswer.OPENS,
                    generation=candidate.generation,
                    remarks=_remarks(seen.remarks),
                    fingerprint=shown,
                )
            if seen.opens is Opens.CANNOT_TELL:
                unsure = seen
        if unsure is not None:
            return _cannot_tell(step, _reason(unsure.reason), unsure.detail)
        self._settle(step.account, None)
        return VerifyOutcome(
            account=step.account,
            answer=VerifyAnswer.DOES_NOT_OPEN,
            fingerprint=shown,
        )

    def _settle(self, account: str, live: str | None) -> None:
        """An intent that never ended has, by this comparison."""
        last = self.memory.last(account)
        after = settled(last, None if live is None else Generation.parse(live))
        if after is not None and after != last:
            self._ended(account, *after)

    # ---- parts

    def _ended(self, account: str, generation: Generation, entry: Entry) -> bool:
        """Journals the end of a generation; False where the disk refuses, and the intent stands for a later run."""
        try:
            self.memory.end(account, generation, entry)
        except JournalUnwritableError:
            return False
        return True

    async def _quiet(self, account: str) -> tuple[Reason, str] | None:
        """Nobody is at work on the account files: a tool left by a predecessor is gone, and no lock is held."""
        tool = self.memory.tool(account)
        if tool is not None and await self.backend.reap(tool.pid, tool.birth) is Reaped.STILL_RUNNING:
            return Reason.TOOL_UNFINISHED, f"process {tool.pid} is still at work"
        busy = await self.backend.settle()
        return None if busy is None else (Reason.ACCOUNT_DB_BUSY, busy.sentence)

    def _open(self, account: str, candidate: Candidate) -> Secret:
        mine = (self.keys.opens(box.recipient) for box in candidate.sealed.boxes)
        key = next((each for each in mine if each is not None), self.keys.sealing)
        return open_sealed(candidate.sealed, Context(account, candidate.generation, Purpose.JOB), key)


def _cannot_tell(step: VerifyStep, reason: Reason, detail: str = "") -> VerifyOutcome:
    return VerifyOutcome(
        account=step.account, answer=VerifyAnswer.CANNOT_TELL, reason=reason, detail=detail[:_DETAIL] or None
    )


def _reason(reason: Reason | None) -> Reason:
    return reason or Reason.REFUSED_BY_HOST


def _remarks(remarks: frozenset[Remark]) -> tuple[Remark, ...]:
    return tuple(sorted(remarks))
