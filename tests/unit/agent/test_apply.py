"""Carrying out jobs on the twin of a host: what is journalled before, compared after, and never claimed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.apply import Worker
from agent.backends.memory import MemoryBackend
from agent.backends.ports import Busy, Comparison, FoundAccount, SetAnswer, SetOutcome, Started
from agent.identity import Keys
from agent.journal import Disk, Journal
from agent.memory import Memory
from libs.domain.moves import Entry
from libs.domain.state import Generation
from libs.wire.ids import account_id
from libs.wire.jobs import Candidate, Job, ResetStep, Step, VerifyStep
from libs.wire.observations import Kind
from libs.wire.reasons import Reason, Remark
from libs.wire.results import Outcome, ResetAnswer, ResetOutcome, Result, VerifyAnswer, VerifyOutcome
from libs.wire.seal import Context, Purpose, key_id, seal
from libs.wire.secret import Secret
from libs.wire.sign import Prefix, Signed, verify

A, NONCE = "a" * 26, "n" * 26
RESOURCE = f"res_{A}"
ACCOUNT = account_id(RESOURCE, "deploy", 1000)
NOW = 1_764_044_000_000
OLD = Secret("what-it-was-before")


class FullDisk(Disk):
    """A disk that refuses from the n-th write on."""

    def __init__(self) -> None:
        self.left: int | None = None

    def write(self, descriptor: int, data: bytes) -> int:
        if self.left is not None:
            if self.left == 0:
                raise OSError(28, "No space left on device")
            self.left -= 1
        return super().write(descriptor, data)


@dataclass
class Clock:
    """Both clocks of an agent."""

    time: int = NOW

    def clock(self) -> int:
        return self.time

    def server_now(self) -> int:
        return self.time


class Restless(MemoryBackend):
    """A host on which somebody sets another password right after it was compared, or set."""

    restless = False

    async def compare(self, name: str, uid: int, secret: Secret) -> Comparison:
        seen = await super().compare(name, uid, secret)
        self._disturb()
        return seen

    async def set(self, name: str, uid: int, secret: Secret, *, unlock: bool, started: Started) -> SetAnswer:
        answer = await super().set(name, uid, secret, unlock=unlock, started=started)
        self._disturb()
        return answer

    def _disturb(self) -> None:
        if self.restless:
            self._kept["deploy"].password = Secret("changed-on-the-host")


class Host:
    """One account, an agent's worker, and the scheduler's pen."""

    def __init__(self, folder: Path, *kinds: Kind) -> None:
        account = FoundAccount("deploy", 1000, 1000, "/bin/bash", frozenset(kinds))
        self.backend = Restless([(account, OLD)])
        self.keys = Keys(generate_private_key(SECP256R1()), X25519PrivateKey.generate(), b"k" * 32)
        self.disk, self.clock, self.folder = FullDisk(), Clock(), folder
        self.open()

    def open(self) -> None:
        self.journal = Journal(self.folder, disk=self.disk)
        self.memory = Memory(self.journal)
        self.worker = Worker(self.backend, self.memory, self.keys, self.clock)

    def restart(self) -> None:
        self.journal.close()
        self.open()

    @property
    def live(self) -> bytes:
        kept = self.backend._kept["deploy"].password
        assert kept is not None
        return kept.reveal()

    async def print(self) -> str | None:
        return await self.backend.fingerprint("deploy", 1000, self.keys.prints)

    def sealed(self, generation: int, plain: str | bytes, key: X25519PrivateKey | None = None) -> Candidate:
        context = Context(ACCOUNT, f"1.{generation}", Purpose.JOB)
        to = (key or self.keys.sealing).public_key()
        return Candidate(generation=f"1.{generation}", sealed=seal(Secret(plain), context, [to]))

    def reset(self, generation: int, plain: str | bytes = "", *, unlock: bool = False) -> ResetStep:
        given = self.sealed(generation, plain or f"generation-{generation}")
        return ResetStep(account=ACCOUNT, name="deploy", uid=1000, password=given, escrow=given.sealed, unlock=unlock)

    async def perform(self, step: Step, fence: int = 1, deadline: int = NOW + 1_000) -> Outcome:
        job = Job(
            id=f"job_{A}",
            task=f"tsk_{A}",
            agent=f"agt_{A}",
            resource=RESOURCE,
            recipient=key_id(self.keys.sealing.public_key()),
            nonce=NONCE,
            fence=f"1.{fence}",
            issued_at=NOW,
            deadline=deadline,
            steps=(step,),
        )
        signed = await self.worker.perform(job, Signed(payload=job.to_bytes(), key="sha256:" + "0" * 64, signature=b""))
        result = Result.model_validate_json(verify(signed, Prefix.RESULT, self.keys.signing.public_key()))
        assert (result.job, result.nonce, result.fence) == (job.id, NONCE, f"1.{fence}")
        return result.outcomes[0]

    async def resets(self, step: ResetStep, deadline: int = NOW + 1_000) -> ResetOutcome:
        outcome = await self.perform(step, deadline=deadline)
        assert isinstance(outcome, ResetOutcome)
        return outcome

    async def verifies(self, *candidates: Candidate, fence: int) -> VerifyOutcome:
        step = VerifyStep(account=ACCOUNT, name="deploy", uid=1000, candidates=candidates)
        outcome = await self.perform(step, fence)
        assert isinstance(outcome, VerifyOutcome)
        return outcome


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path / "journal")
    yield made
    made.journal.close()


class TestReset:
    async def test_applied_is_set_compared_and_journalled(self, host: Host) -> None:
        outcome = await host.resets(host.reset(1))
        assert outcome.answer is ResetAnswer.APPLIED
        assert outcome.fingerprint == await host.backend.fingerprint("deploy", 1000, host.keys.prints)
        assert host.live == b"generation-1"
        assert host.memory.last(ACCOUNT) == (Generation(1, 1), Entry.APPLIED)

    async def test_the_journal_holds_no_plain_password(self, host: Host) -> None:
        await host.resets(host.reset(1, "Plain-as-day-1"))
        data = (host.folder / "journal").read_bytes()
        assert b"intent" in data
        assert b"Plain-as-day-1" not in data

    @pytest.mark.parametrize("plain", ["first\nsvc-backup:injected", "a\rb", "a\0b", "x" * 512])
    async def test_what_cannot_be_set_is_refused_before_anything_is_journalled(self, host: Host, plain: str) -> None:
        outcome = await host.resets(host.reset(1, plain))
        assert (outcome.answer, outcome.reason) == (ResetAnswer.REFUSED, Reason.PASSWORD_NOT_SETTABLE)
        assert list(host.memory.journal.records()) == []
        assert host.live == OLD.reveal()

    async def test_a_job_after_its_deadline_is_not_begun(self, host: Host) -> None:
        outcome = await host.resets(host.reset(1), deadline=NOW - 1)
        assert (outcome.answer, outcome.reason) == (ResetAnswer.REFUSED, Reason.JOB_TOO_LATE)
        assert host.live == OLD.reveal()

    async def test_a_password_sealed_to_another_agent_is_not_begun(self, host: Host) -> None:
        given = host.sealed(1, "x", X25519PrivateKey.generate())
        step = host.reset(1).model_copy(update={"password": given})
        outcome = await host.resets(step)
        assert (outcome.answer, outcome.reason) == (ResetAnswer.REFUSED, Reason.JOB_NOT_TRUSTED)

    async def test_a_held_lock_is_not_waited_for_for_ever(self, host: Host) -> None:
        host.backend.in_the_way = Busy(4711, "process 4711 holds the lock")
        outcome = await host.resets(host.reset(1))
        assert (outcome.answer, outcome.reason) == (ResetAnswer.REFUSED, Reason.ACCOUNT_DB_BUSY)
        assert "4711" in (outcome.detail or "")

    @pytest.mark.parametrize("why", ["busy", "late"])
    async def test_what_was_refused_without_beginning_is_not_begun_when_it_comes_again(
        self, host: Host, why: str
    ) -> None:
        """A gateway that dies between keeping a result and closing its job hands the job out once more."""
        if why == "busy":
            host.backend.in_the_way = Busy(4711, "process 4711 holds the lock")
        else:
            host.clock.time += 5_000
        assert (await host.resets(host.reset(1))).answer is ResetAnswer.REFUSED
        host.backend.in_the_way, host.clock.time = None, NOW
        host.restart()
        outcome = await host.resets(host.reset(1))
        assert (outcome.answer, outcome.reason) == (ResetAnswer.UNKNOWN, Reason.STALE_GENERATION)
        assert host.live == OLD.reveal()

    async def test_the_hosts_refusal_is_refused_only_while_the_field_is_as_it_was(self, host: Host) -> None:
        host.backend.refuse = SetAnswer(SetOutcome.REFUSED, Reason.DISK_FULL, "no space")
        outcome = await host.resets(host.reset(1))
        assert (outcome.answer, outcome.reason) == (ResetAnswer.REFUSED, Reason.DISK_FULL)
        assert host.memory.last(ACCOUNT) == (Generation(1, 1), Entry.REFUSED)

    async def test_unknown_is_never_failed(self, host: Host) -> None:
        host.backend.lose_answer = True
        outcome = await host.resets(host.reset(1))
        assert (outcome.answer, outcome.reason) == (ResetAnswer.UNKNOWN, Reason.TOOL_UNFINISHED)
        assert host.memory.last(ACCOUNT) == (Generation(1, 1), Entry.INTENT)

    async def test_an_older_generation_is_stale_and_not_set(self, host: Host) -> None:
        await host.resets(host.reset(2))
        outcome = await host.resets(host.reset(1))
        assert (outcome.answer, outcome.reason) == (ResetAnswer.UNKNOWN, Reason.STALE_GENERATION)
        assert host.live == b"generation-2"

    async def test_a_repeat_is_compared_and_not_set_again(self, host: Host) -> None:
        await host.resets(host.reset(1))
        host.backend.refuse = SetAnswer(SetOutcome.REFUSED, Reason.DISK_FULL, "it was set again")
        assert (await host.resets(host.reset(1))).answer is ResetAnswer.APPLIED

    async def test_a_repeat_after_somebody_changed_it_is_unknown(self, host: Host) -> None:
        await host.resets(host.reset(1))
        host.backend._kept["deploy"].password = Secret("changed-on-the-host")
        assert (await host.resets(host.reset(1))).answer is ResetAnswer.UNKNOWN
        assert host.live == b"changed-on-the-host"

    async def test_a_repeat_after_a_restart_goes_on_where_the_intent_stands(self, host: Host) -> None:
        host.backend.lose_answer = True
        await host.resets(host.reset(1))
        host.backend.lose_answer = False
        host.restart()
        assert (await host.resets(host.reset(1))).answer is ResetAnswer.APPLIED


class TestChangedInBetween:
    """What is shown as live belongs to what was compared: else the next contact could not tell them apart."""

    async def test_a_change_after_a_comparison_differs_from_what_was_shown(self, host: Host) -> None:
        await host.resets(host.reset(1))
        host.backend.restless = True
        again = await host.resets(host.reset(1))
        assert again.answer is ResetAnswer.APPLIED
        assert again.fingerprint != await host.print()

    @pytest.mark.parametrize("plain", ["generation-1", "another"])
    async def test_the_same_holds_for_a_comparison_that_was_asked_for(self, host: Host, plain: str) -> None:
        await host.resets(host.reset(1))
        host.backend.restless = True
        outcome = await host.verifies(host.sealed(1, plain), fence=1)
        assert outcome.answer is (VerifyAnswer.OPENS if plain == "generation-1" else VerifyAnswer.DOES_NOT_OPEN)
        assert outcome.fingerprint != await host.print()

    async def test_a_change_right_after_the_set_is_unknown(self, host: Host) -> None:
        host.backend.restless = True
        assert (await host.resets(host.reset(1))).answer is ResetAnswer.UNKNOWN


class TestFullDisk:
    async def test_no_intent_no_set(self, host: Host) -> None:
        host.disk.left = 0
        outcome = await host.resets(host.reset(1))
        # It may come again when there is room, so "refused" is more than can be promised.
        assert (outcome.answer, outcome.reason) == (ResetAnswer.UNKNOWN, Reason.JOURNAL_UNWRITABLE)
        assert host.live == OLD.reveal()

    async def test_an_end_that_cannot_be_journalled_is_still_told_and_found_again(self, host: Host) -> None:
        host.disk.left = 2  # the intent and the tool, not the end
        assert (await host.resets(host.reset(1))).answer is ResetAnswer.APPLIED
        host.disk.left = None
        host.restart()
        assert host.memory.last(ACCOUNT) == (Generation(1, 1), Entry.INTENT)
        assert (await host.resets(host.reset(1))).answer is ResetAnswer.APPLIED

    async def test_a_tool_that_cannot_be_journalled_is_not_given_anything(self, host: Host) -> None:
        host.disk.left = 1  # the intent only
        outcome = await host.resets(host.reset(1))
        assert (outcome.answer, outcome.reason) == (ResetAnswer.UNKNOWN, Reason.JOURNAL_UNWRITABLE)
        assert host.live == OLD.reveal()


class TestVerify:
    async def test_the_newest_that_opens_is_named(self, host: Host) -> None:
        await host.resets(host.reset(1))
        outcome = await host.verifies(host.sealed(2, "generation-2"), host.sealed(1, "generation-1"), fence=2)
        assert (outcome.answer, outcome.generation) == (VerifyAnswer.OPENS, "1.1")

    async def test_none_opens(self, host: Host) -> None:
        outcome = await host.verifies(host.sealed(1, "generation-1"), fence=1)
        assert outcome.answer is VerifyAnswer.DOES_NOT_OPEN
        assert outcome.fingerprint is not None

    async def test_a_verify_fences_off_what_it_asked_about(self, host: Host) -> None:
        await host.verifies(host.sealed(2, "generation-2"), fence=2)
        assert (await host.resets(host.reset(2))).answer is ResetAnswer.UNKNOWN
        assert host.live == OLD.reveal()
        assert (await host.resets(host.reset(3))).answer is ResetAnswer.APPLIED

    async def test_a_verify_settles_an_intent_that_never_ended(self, host: Host) -> None:
        host.backend.lose_answer = True
        await host.resets(host.reset(1))
        await host.verifies(host.sealed(1, "generation-1"), fence=1)
        assert host.memory.last(ACCOUNT) == (Generation(1, 1), Entry.APPLIED)

    async def test_a_busy_host_cannot_tell(self, host: Host) -> None:
        host.backend.in_the_way = Busy(None, "somebody holds the lock")
        outcome = await host.verifies(host.sealed(1, "generation-1"), fence=1)
        assert (outcome.answer, outcome.reason) == (VerifyAnswer.CANNOT_TELL, Reason.ACCOUNT_DB_BUSY)

    async def test_a_version_that_does_not_open_cannot_be_judged(self, host: Host) -> None:
        outcome = await host.verifies(host.sealed(1, "x", X25519PrivateKey.generate()), fence=1)
        assert (outcome.answer, outcome.reason) == (VerifyAnswer.CANNOT_TELL, Reason.JOB_NOT_TRUSTED)

    async def test_an_account_that_is_gone_cannot_tell(self, host: Host) -> None:
        del host.backend._kept["deploy"]
        outcome = await host.verifies(host.sealed(1, "x"), fence=1)
        assert (outcome.answer, outcome.reason) == (VerifyAnswer.CANNOT_TELL, Reason.NOT_A_LOCAL_ACCOUNT)

    async def test_a_locked_account_is_compared_behind_its_lock(self, tmp_path: Path) -> None:
        host = Host(tmp_path / "locked", Kind.LOCKED)
        outcome = await host.resets(host.reset(1))
        assert (outcome.answer, outcome.remarks) == (ResetAnswer.APPLIED, (Remark.LOCKED,))
        host.journal.close()


async def test_tidying_keeps_marks_escrow_and_what_is_open(host: Host) -> None:
    for generation in range(1, 40):
        await host.resets(host.reset(generation))
    host.memory.tidy()
    host.restart()
    assert host.memory.mark(ACCOUNT) == Generation(1, 39)
    assert host.memory.last(ACCOUNT) == (Generation(1, 39), Entry.APPLIED)
    kept = [record for record in host.journal.records(ACCOUNT) if record["kind"] == "intent"]
    assert len(kept) == 16
    assert all(record["escrow"] for record in kept)
    assert (await host.resets(host.reset(5))).reason is Reason.STALE_GENERATION


async def test_where_the_disk_has_no_room_to_tidy_it_works_on(host: Host) -> None:
    """It ended with an error at each start, although there was room for every record."""
    for generation in range(1, 20):
        await host.resets(host.reset(generation))
    host.disk.left = 0
    assert "No space left" in str(host.memory.tidy())
    host.disk.left = None
    assert (await host.resets(host.reset(20))).answer is ResetAnswer.APPLIED
    host.restart()
    assert host.memory.last(ACCOUNT) == (Generation(1, 20), Entry.APPLIED)
