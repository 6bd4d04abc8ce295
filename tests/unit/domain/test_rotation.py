"""The rotation table, read aloud: each turn, what it keeps, and what it refuses."""

from dataclasses import replace

import pytest

from libs.domain.errors import AlreadyAtAgentError, BusyError, NotNowError, StaleAnswerError
from libs.domain.moves import Entry, Move, decide
from libs.domain.rotation import (
    applied,
    cannot_tell,
    compared,
    lost,
    next_generation,
    refused,
    request_reset,
    withdrawn,
)
from libs.domain.state import End, Generation, Phase, Rotation, Status, VersionState
from libs.domain.trust import contact, quarantine, release, restored, trust_lost
from libs.domain.versions import candidates
from libs.wire.jobs import MAX_CANDIDATES
from libs.wire.reasons import Reason
from tests.unit.domain.turns import (
    EPOCH,
    NEW_PRINT,
    NOBODY,
    answer,
    asked,
    at_agent,
    generation,
    proven,
    proven_by_answer,
    uncertain,
    verifying,
)


class TestReset:
    def test_a_reset_is_escrowed_before_any_agent_can_see_it(self) -> None:
        r = asked(Rotation())
        assert (r.status, r.back) == (Status.PENDING, Status.UNMANAGED)
        assert r.versions[0].state is VersionState.ESCROWED
        assert r.versions[0].sealed is NOBODY
        assert r.flight is not None
        assert r.flight.phase is Phase.QUEUED

    def test_applied_proves_it(self) -> None:
        r = proven(Rotation())
        assert r.status is Status.IN_SYNC
        assert r.proof is not None
        assert (r.proof.generation, r.proof.at) == (generation(1), 30)
        assert r.flight is None
        assert r.versions[0].state is VersionState.PROVEN

    def test_applied_counts_even_when_the_message_of_the_fetch_comes_later(self) -> None:
        r = asked(Rotation())
        done = applied(r, task="t1", generation=generation(1), nonce="n-t1", now=30, receipt=30)
        assert done.after.status is Status.IN_SYNC
        assert [each.end for each in done.ended] == [End.DONE]
        with pytest.raises(StaleAnswerError):
            at_agent(done.after)

    @pytest.mark.parametrize("before", [Rotation(), proven(Rotation())], ids=["unmanaged", "in sync"])
    def test_withdrawn_goes_back_and_keeps_the_version(self, before: Rotation) -> None:
        r = asked(before, "t2", 40)
        change = withdrawn(r, task="t2", end=End.CANCELLED, reason=Reason.CANCELLED, now=50)
        assert change.after.status is before.status
        assert change.after.versions[0].state is VersionState.WITHDRAWN
        assert len(change.after.versions) == len(before.versions) + 1
        assert change.ended[0].end is End.CANCELLED

    @pytest.mark.parametrize("before", [Rotation(), proven(Rotation())], ids=["unmanaged", "in sync"])
    def test_refused_goes_back_and_keeps_the_version(self, before: Rotation) -> None:
        r = at_agent(asked(before, "t2", 40), "t2", 50)
        change = refused(
            r,
            task="t2",
            generation=r.newest,
            nonce="n-t2",
            now=60,
            receipt=60,
            reason=Reason.REFUSED_BY_HOST,
            fingerprint=before.fingerprint,
        )
        assert change.after.status is before.status
        assert change.after.versions[0].state is VersionState.REFUSED
        assert change.ended[0].reason is Reason.REFUSED_BY_HOST

    def test_refused_on_a_field_that_somebody_changed_is_uncertain(self) -> None:
        r = at_agent(asked(proven(Rotation()), "t2", 40), "t2", 50)
        change = refused(
            r,
            task="t2",
            generation=r.newest,
            nonce="n-t2",
            now=60,
            receipt=60,
            reason=Reason.DISK_FULL,
            fingerprint=NEW_PRINT,
        )
        assert change.after.status is Status.UNCERTAIN

    def test_a_cancel_after_the_fetch_changes_nothing(self) -> None:
        with pytest.raises(AlreadyAtAgentError):
            withdrawn(at_agent(asked(Rotation())), task="t1", end=End.CANCELLED, reason=Reason.CANCELLED, now=50)

    def test_a_second_request_is_refused_and_never_queued_behind(self) -> None:
        r = asked(Rotation())
        with pytest.raises(BusyError) as busy:
            asked(r, "t2")
        assert busy.value.task == "t1"
        with pytest.raises(BusyError):
            verifying(r)

    def test_no_reset_while_uncertain_or_quarantined(self) -> None:
        with pytest.raises(NotNowError) as error:
            asked(uncertain(), "t3")
        assert error.value.reason is Reason.ACCOUNT_UNCERTAIN
        with pytest.raises(NotNowError) as error:
            asked(quarantine(proven(Rotation()), now=40).after, "t3")
        assert error.value.reason is Reason.ACCOUNT_QUARANTINED

    def test_a_generation_never_comes_twice(self) -> None:
        r = proven(Rotation())
        assert next_generation(r, EPOCH) == generation(2)
        assert next_generation(r, EPOCH - 1) == generation(2)
        assert next_generation(r, EPOCH + 5) == Generation(EPOCH + 5, 1)
        with pytest.raises(ValueError, match="not above"):
            request_reset(r, task="t2", generation=generation(1), sealed=NOBODY, nonce="n", deadline=1, now=0)

    @pytest.mark.parametrize(("task", "number", "nonce"), [("t9", 1, "n-t1"), ("t1", 2, "n-t1"), ("t1", 1, "another")])
    def test_an_answer_counts_only_for_its_task_generation_and_nonce(self, task: str, number: int, nonce: str) -> None:
        r = at_agent(asked(Rotation()))
        with pytest.raises(StaleAnswerError):
            applied(r, task=task, generation=generation(number), nonce=nonce, now=30, receipt=30)
        with pytest.raises(StaleAnswerError):
            refused(
                r, task=task, generation=generation(number), nonce=nonce, now=30, receipt=30, reason=Reason.DISK_FULL
            )

    def test_the_same_fetch_twice_changes_nothing(self) -> None:
        r = at_agent(asked(Rotation()))
        assert at_agent(r, now=99) == r


class TestUncertain:
    def test_no_answer_is_unknown_and_keeps_every_candidate(self) -> None:
        r = uncertain()
        assert r.status is Status.UNCERTAIN
        assert [v.generation for v in candidates(r)] == [generation(2), generation(1)]
        assert r.unanswered is not None

    def test_a_late_applied_settles_it(self) -> None:
        r = uncertain()
        change = applied(r, task="t2", generation=generation(2), nonce="n-t2", now=300, receipt=300)
        assert change.after.status is Status.IN_SYNC
        assert change.after.unanswered is None
        assert [each.end for each in change.ended] == [End.DONE]

    def test_a_late_applied_ends_the_comparison_under_way(self) -> None:
        change = applied(
            verifying(uncertain()), task="t2", generation=generation(2), nonce="n-t2", now=300, receipt=300
        )
        assert {(each.task, each.opens) for each in change.ended} == {("t2", None), ("check", True)}

    def test_a_late_refused_settles_nothing(self) -> None:
        with pytest.raises(StaleAnswerError):
            refused(
                uncertain(),
                task="t2",
                generation=generation(2),
                nonce="n-t2",
                now=300,
                receipt=300,
                reason=Reason.DISK_FULL,
            )

    @pytest.mark.parametrize(("opens", "end"), [(2, End.DONE), (1, End.REFUSED)])
    def test_a_comparison_settles_it_and_the_unanswered_reset(self, opens: int, end: End) -> None:
        change = answer(verifying(uncertain()), generation(opens))
        assert change.after.status is Status.IN_SYNC
        assert change.after.proof is not None
        assert change.after.proof.generation == generation(opens)
        assert {each.task: each.end for each in change.ended} == {"check": End.DONE, "t2": end}

    def test_none_opens_is_drift(self) -> None:
        change = answer(verifying(uncertain()), None)
        assert change.after.status is Status.DRIFT
        assert change.ended[0].opens is False

    def test_none_opens_where_nothing_was_proven_is_unmanaged(self) -> None:
        r = lost(at_agent(asked(Rotation())), task="t1", now=200).after
        assert answer(verifying(r), None).after.status is Status.UNMANAGED

    def test_an_answer_of_an_older_episode_does_not_count(self) -> None:
        r = verifying(uncertain())
        with pytest.raises(StaleAnswerError):
            answer(r, generation(2), nonce="v0")
        with pytest.raises(StaleAnswerError):
            compared(r, task="check", nonce="v1", fence=generation(1), opens=None, next_nonce="v2", now=1, receipt=1)

    def test_a_version_that_was_never_offered_cannot_be_found_live(self) -> None:
        with pytest.raises(StaleAnswerError):
            answer(verifying(uncertain()), generation(7))

    def test_cannot_tell_changes_no_status(self) -> None:
        r = verifying(uncertain())
        change = cannot_tell(r, task="check", nonce="v1", now=220, reason=Reason.HASH_NOT_KNOWN)
        assert change.after.status is Status.UNCERTAIN
        assert change.after.unanswered is not None
        assert change.ended[0].end is End.CANNOT_TELL

    def test_a_comparison_without_an_answer_changes_no_status(self) -> None:
        change = lost(verifying(proven(Rotation())), task="check", now=400)
        assert change.after.status is Status.IN_SYNC
        assert change.ended[0].end is End.CANNOT_TELL

    def test_more_candidates_than_a_job_carries_are_compared_in_turns(self) -> None:
        r = Rotation()
        for n in range(MAX_CANDIDATES + 1):
            r = proven(r, f"t{n}", now=100 * (n + 1))
        first = answer(verifying(r, now=9_000), None, now=9_100)
        assert first.ended == ()
        assert first.after.flight is not None
        assert (first.after.flight.nonce, first.after.flight.skip) == ("v2", MAX_CANDIDATES)
        last = compared(
            first.after,
            task="check",
            nonce="v2",
            fence=r.newest,
            opens=generation(1),
            next_nonce="v3",
            now=9_200,
            receipt=9_200,
        )
        assert last.after.status is Status.IN_SYNC


class TestVerify:
    def test_nothing_to_compare_on_an_unmanaged_account(self) -> None:
        with pytest.raises(NotNowError) as error:
            verifying(Rotation())
        assert error.value.reason is Reason.NOTHING_TO_VERIFY

    def test_in_sync_gets_a_newer_proof(self) -> None:
        change = answer(verifying(proven(Rotation())), generation(1))
        assert change.after.proof is not None
        assert change.after.proof.at == 220

    def test_drift_is_found_and_left_again(self) -> None:
        drift = answer(verifying(proven(Rotation())), None).after
        assert drift.status is Status.DRIFT
        assert answer(verifying(drift), generation(1)).after.status is Status.IN_SYNC


class TestTrust:
    def test_enrolled_again_forgets_nothing(self) -> None:
        change = trust_lost(at_agent(asked(proven(Rotation()), "t2", 40), "t2", 50), now=60)
        assert change.after.status is Status.UNCERTAIN
        assert len(candidates(change.after)) == 2

    def test_a_discovered_account_stays_unmanaged(self) -> None:
        assert trust_lost(Rotation(), now=1).after.status is Status.UNMANAGED

    def test_a_restored_server_takes_an_escrowed_version_for_offered(self) -> None:
        r = restored(asked(proven(Rotation()), "t2", 40), epoch=EPOCH + 9, now=60).after
        assert r.status is Status.UNCERTAIN
        assert [v.generation for v in candidates(r)] == [generation(2), generation(1)]

    def test_an_answer_from_before_a_restore_proves_nothing(self) -> None:
        """The copy's reset was applied, and then another one that the copy does not know."""
        r = restored(at_agent(asked(Rotation())), epoch=EPOCH + 9, now=60).after
        with pytest.raises(StaleAnswerError):
            proven_by_answer(r, now=70)

    def test_a_comparison_after_a_restore_fences_off_what_the_copy_does_not_know(self) -> None:
        """A job that was fetched in the lost time would set its password after the comparison."""
        r = verifying(restored(proven(Rotation()), epoch=EPOCH + 9, now=60).after)
        assert r.flight is not None
        assert r.flight.generation == Generation(EPOCH + 9, 0)
        assert decide(r.flight.generation, None, generation(2)) is Move.STALE
        after = answer(r, generation(1)).after
        assert next_generation(after, EPOCH + 9) == Generation(EPOCH + 9, 1)

    def test_a_clone_is_quarantined_and_compared_when_released(self) -> None:
        r = quarantine(proven(Rotation()), now=50).after
        assert r.status is Status.QUARANTINED
        assert quarantine(r, now=60).after == r
        with pytest.raises(NotNowError):
            verifying(r)
        assert release(r).after.status is Status.UNCERTAIN
        assert release(Rotation()).after.status is Status.UNMANAGED

    def test_a_late_answer_does_not_end_a_quarantine(self) -> None:
        """Either machine may have said it, and a person has yet to choose one."""
        r = quarantine(at_agent(asked(Rotation())), now=30).after
        with pytest.raises(StaleAnswerError):
            applied(r, task="t1", generation=generation(1), nonce="n-t1", now=40, receipt=40)
        assert applied(
            release(r).after, task="t1", generation=generation(1), nonce="n-t1", now=40, receipt=40
        ).after.proof

    def test_nothing_ever_drops_a_version(self) -> None:
        r = uncertain()
        for after in (
            answer(verifying(r), None).after,
            trust_lost(r, now=1).after,
            quarantine(r, now=1).after,
            contact(r, mark=generation(0), fingerprint=NEW_PRINT, nonce="x", now=999, receipt=999, latest=0).after,
        ):
            assert {v.generation for v in after.versions} == {v.generation for v in r.versions}


@pytest.mark.parametrize(
    ("mark", "journal", "offered", "move"),
    [
        (0, None, 1, Move.APPLY),
        (1, (1, Entry.APPLIED), 2, Move.APPLY),
        (2, (1, Entry.APPLIED), 1, Move.STALE),
        (2, (1, Entry.APPLIED), 2, Move.STALE),
        (2, None, 2, Move.STALE),
        (2, (2, Entry.INTENT), 2, Move.RESUME),
        (2, (2, Entry.APPLIED), 2, Move.REPORT_AGAIN),
        (2, (2, Entry.REFUSED), 2, Move.REPORT_AGAIN),
    ],
)
def test_the_agent_never_works_on_a_generation_below_its_mark(
    mark: int, journal: tuple[int, Entry] | None, offered: int, move: Move
) -> None:
    known = (generation(journal[0]), journal[1]) if journal else None
    assert decide(generation(mark), known, generation(offered)) is move


def test_a_generation_reads_what_it_writes() -> None:
    assert Generation.parse(str(Generation(1_764_044_000, 7))) == Generation(1_764_044_000, 7)
    assert Generation(1, 9) < Generation(2, 1) < Generation(2, 2)


def test_a_rotation_is_a_value() -> None:
    r = proven(Rotation())
    assert replace(r) == r
