"""What a host shows at a contact, held against what was last compared."""

import pytest

from libs.domain.errors import StaleAnswerError
from libs.domain.rotation import (
    applied,
    refused,
    withdrawn,
)
from libs.domain.state import End, Flight, Kind, Proof, Rotation, Status
from libs.domain.trust import contact
from libs.wire.reasons import Reason
from tests.unit.domain.turns import (
    NEW_PRINT,
    OLD_PRINT,
    answer,
    asked,
    at_agent,
    generation,
    proven,
    proven_by_answer,
    uncertain,
    verifying,
)


class TestContact:
    def test_what_was_proven_and_is_seen_again_changes_nothing(self) -> None:
        r = proven(Rotation())
        assert (
            contact(r, mark=generation(1), fingerprint=OLD_PRINT, nonce="x", now=50, receipt=50, latest=0).after.status
            is Status.IN_SYNC
        )

    @pytest.mark.parametrize(("mark", "fingerprint"), [(1, NEW_PRINT), (0, OLD_PRINT), (1, None)])
    def test_another_field_or_an_older_journal_is_uncertain(self, mark: int, fingerprint: str | None) -> None:
        r = contact(
            proven(Rotation()),
            mark=generation(mark),
            fingerprint=fingerprint,
            nonce="x",
            now=50,
            receipt=50,
            latest=0,
        ).after
        assert r.status is Status.UNCERTAIN

    def test_a_contact_older_than_the_proof_says_nothing(self) -> None:
        r = proven(Rotation(), now=100)
        assert (
            contact(r, mark=generation(0), fingerprint=NEW_PRINT, nonce="x", now=99, receipt=99, latest=0).after.status
            is Status.IN_SYNC
        )

    def test_what_was_seen_while_pending_counts_when_the_reset_goes_back(self) -> None:
        r = asked(proven(Rotation()), "t2", 40)
        r = contact(r, mark=generation(0), fingerprint=NEW_PRINT, nonce="x", now=50, receipt=50, latest=0).after
        assert r.status is Status.PENDING
        change = withdrawn(r, task="t2", end=End.EXPIRED, reason=Reason.DEADLINE_PASSED, now=60)
        assert change.after.status is Status.UNCERTAIN

    def test_a_comparison_under_way_starts_anew(self) -> None:
        r = contact(
            verifying(proven(Rotation())),
            mark=generation(1),
            fingerprint=NEW_PRINT,
            nonce="x",
            now=215,
            receipt=215,
            latest=0,
        ).after
        assert r.status is Status.UNCERTAIN
        assert r.flight == Flight("check", Kind.VERIFY, generation(1), "x", 210, 310)
        with pytest.raises(StaleAnswerError):
            answer(r, generation(1))

    def test_an_answer_taken_up_after_a_later_contact_is_held_against_it(self) -> None:
        """Both were received in order and taken up out of it; the contact says nothing new when it comes again."""
        r = at_agent(asked(Rotation()))
        seen = contact(r, mark=generation(1), fingerprint=NEW_PRINT, nonce="v", now=50, receipt=50, latest=0).after
        after = proven_by_answer(seen, now=40)
        assert (after.status, after.proof) == (Status.UNCERTAIN, Proof(generation(1), 40))
        drift = answer(verifying(uncertain(), now=210), None, now=220).after
        again = contact(
            verifying(drift, now=230),
            mark=generation(2),
            fingerprint=OLD_PRINT,
            nonce="v1",
            now=250,
            receipt=250,
            latest=0,
        ).after
        assert answer(again, None, now=240).after.status is Status.UNCERTAIN

    def test_a_contact_that_is_newer_than_a_refusal_outlives_it(self) -> None:
        """The refusal was taken up later, and what the host showed since then was forgotten by it."""
        r = at_agent(asked(proven(Rotation()), "t2", 40), "t2", 50)
        r = contact(r, mark=generation(2), fingerprint=NEW_PRINT, nonce="x", now=70, receipt=70, latest=0).after
        r = refused(
            r,
            task="t2",
            generation=generation(2),
            nonce="n-t2",
            now=60,
            receipt=60,
            reason=Reason.DISK_FULL,
            fingerprint=OLD_PRINT,
        ).after
        assert r.status is Status.UNCERTAIN

    @pytest.mark.parametrize(
        ("shown", "status"), [(OLD_PRINT, Status.UNMANAGED), (NEW_PRINT, Status.UNCERTAIN)], ids=["same", "changed"]
    )
    def test_what_a_refused_first_reset_left_may_become_live(self, shown: str, status: Status) -> None:
        """Somebody typed it on the host: the vault held the password, and nobody compared it."""
        r = refused(
            at_agent(asked(Rotation())),
            task="t1",
            generation=generation(1),
            nonce="n-t1",
            now=60,
            receipt=60,
            reason=Reason.DISK_FULL,
            fingerprint=OLD_PRINT,
        ).after
        assert r.status is Status.UNMANAGED
        r = contact(r, mark=generation(1), fingerprint=shown, nonce="x", now=70, receipt=70, latest=0).after
        assert r.status is status

    def test_a_contact_that_shows_nothing_new_is_newer_than_an_answer_that_is_taken_up_late(self) -> None:
        """The host was put back to before the reset, and showed what it had shown before; the answer came after it."""
        r = at_agent(asked(proven(Rotation()), "t2", 40), "t2", 50)
        for receipt in (60, 80):
            r = contact(
                r, mark=generation(1), fingerprint=OLD_PRINT, nonce="x", now=receipt, receipt=receipt, latest=0
            ).after
        r = applied(
            r, task="t2", generation=generation(2), nonce="n-t2", now=70, receipt=70, fingerprint=NEW_PRINT
        ).after
        assert r.status is Status.UNCERTAIN

    def test_an_unmanaged_account_is_only_seen(self) -> None:
        r = contact(
            Rotation(), mark=generation(0), fingerprint=NEW_PRINT, nonce="x", now=50, receipt=50, latest=0
        ).after
        assert r.status is Status.UNMANAGED
        assert r.seen is not None
