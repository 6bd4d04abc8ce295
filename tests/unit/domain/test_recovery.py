"""A server that came back from a copy: the agent knows more than the vault, and what it holds is taken back."""

from dataclasses import replace

import pytest

from libs.domain.rotation import cannot_tell, compared, next_generation, refused, request_verify, withdrawn
from libs.domain.state import LAST_COUNTER, Change, End, Generation, Rotation, Seen, Status, Version, VersionState
from libs.domain.trust import contact, quarantine, release
from libs.domain.versions import MAX_RECOVERED, candidates
from libs.wire.reasons import Reason
from tests.unit.domain.turns import (
    EPOCH,
    NEW_PRINT,
    NOBODY,
    OLD_PRINT,
    asked,
    at_agent,
    generation,
    proven,
    stated,
    verifying,
)

NOW = (EPOCH + 60) * 1_000
"""Late enough for the agent's numbers to be of the past."""


def tells(r: Rotation, mark: Generation, now: int = NOW) -> Rotation:
    return contact(r, mark=mark, fingerprint=NEW_PRINT, nonce="again", now=now, receipt=now, latest=now // 1_000).after


def from_escrow(counter: int) -> Version:
    return Version(generation(counter), VersionState.OFFERED, NOW, NOBODY, NOW)


def answer(r: Rotation, opens: Generation | None, *recovered: Version) -> Change:
    assert r.flight is not None
    return compared(
        r,
        task="check",
        nonce=r.flight.nonce,
        fence=r.newest,
        opens=opens,
        next_nonce="next",
        now=NOW + 10,
        receipt=NOW + 10,
        fingerprint=NEW_PRINT,
        recovered=recovered,
    )


@pytest.mark.parametrize("before", [Rotation(), proven(Rotation())], ids=["unmanaged", "in sync"])
def test_a_mark_above_what_was_given_makes_it_uncertain_and_no_number_comes_twice(before: Rotation) -> None:
    r = tells(before, generation(7))
    assert (r.status, r.newest) == (Status.UNCERTAIN, generation(7))
    assert next_generation(r, EPOCH) == generation(8)
    r = request_verify(r, task="check", nonce="v", deadline=NOW + 100, now=NOW).after
    more = answer(r, None, from_escrow(7)).after
    assert more.flight is not None
    assert (more.flight.nonce, more.flight.skip, candidates(more)[0].generation) == ("next", 0, generation(7))
    assert answer(more, generation(7)).after.status is Status.IN_SYNC


def test_where_the_escrow_is_lost_too_it_is_said_and_not_asked_for_ever() -> None:
    r = request_verify(tells(Rotation(), generation(7)), task="check", nonce="v", deadline=NOW + 100, now=NOW).after
    r = answer(r, None).after
    assert (r.status, r.flight) == (Status.UNMANAGED, None)
    assert tells(r, generation(7), NOW + 20).status is Status.UNMANAGED


def test_a_mark_that_the_vault_never_gave_is_asked_about_also_when_newer_ones_were_given_since() -> None:
    """After the restore a reset was asked for and taken back before the agent, which had set another one, was heard."""
    lost = Generation(EPOCH - 50, 3)
    r = withdrawn(asked(Rotation()), task="t1", end=End.CANCELLED, reason=Reason.CANCELLED, now=NOW - 10).after
    assert (r.status, r.newest) == (Status.UNMANAGED, generation(1))
    r = tells(r, lost)
    assert (r.status, r.newest) == (Status.UNCERTAIN, generation(1))
    r = request_verify(r, task="check", nonce="v", deadline=NOW + 100, now=NOW).after
    more = answer(r, None, Version(lost, VersionState.OFFERED, NOW, NOBODY, NOW)).after
    settled = answer(more, lost).after
    assert settled.status is Status.IN_SYNC
    assert tells(settled, generation(1), NOW + 20) == replace(
        settled, seen=Seen(NEW_PRINT, generation(1), NOW + 20, NOW + 20)
    )


def test_a_number_of_an_epoch_that_began_by_a_clock_that_was_ahead_is_believed() -> None:
    """The server's clock was put back after a restore: what agents had set in the epoch before it was not asked for."""
    mark = Generation(EPOCH + 3_600, 1)
    r = proven(Rotation())
    after = contact(r, mark=mark, fingerprint=OLD_PRINT, nonce="n", now=NOW, receipt=NOW, latest=mark.epoch + 1).after
    assert (after.status, after.newest) == (Status.UNCERTAIN, mark)


def test_a_number_of_the_future_is_not_believed() -> None:
    assert tells(proven(Rotation()), Generation(EPOCH + 3_600, 1)).newest == generation(1)


def test_the_highest_counter_is_followed_by_the_next_epoch() -> None:
    r = tells(Rotation(), Generation(EPOCH, LAST_COUNTER))
    assert next_generation(r, EPOCH) == Generation(EPOCH + 1, 1)


def test_a_comparison_under_way_begins_again_with_what_is_new() -> None:
    r = tells(verifying(proven(Rotation())), generation(7))
    assert r.flight is not None
    assert (r.flight.nonce, r.status) == ("again", Status.UNCERTAIN)
    r = tells(stated(Rotation()), generation(7))
    assert r.flight is not None
    assert (r.flight.nonce, r.status) == ("again", Status.UNCERTAIN)


def test_a_pending_reset_goes_back_to_uncertain() -> None:
    queued = tells(asked(proven(Rotation()), "t2", 40), generation(7))
    assert queued.status is Status.PENDING
    back = withdrawn(queued, task="t2", end=End.CANCELLED, reason=Reason.CANCELLED, now=NOW + 5)
    assert back.after.status is Status.UNCERTAIN
    there = at_agent(queued, "t2", NOW + 1)
    said = refused(
        there, task="t2", generation=generation(2), nonce="n-t2", now=NOW + 5, receipt=NOW + 5, reason=Reason.DISK_FULL
    )
    assert said.after.status is Status.UNCERTAIN


def test_while_quarantined_it_is_kept_for_the_release() -> None:
    r = tells(quarantine(Rotation(), now=NOW).after, generation(7))
    assert r.status is Status.QUARANTINED
    assert release(r).after.status is Status.UNCERTAIN
    assert release(quarantine(Rotation(), now=NOW).after).after.status is Status.UNMANAGED


def test_what_cannot_be_compared_comes_back_all_the_same() -> None:
    r = request_verify(tells(Rotation(), generation(7)), task="check", nonce="v", deadline=NOW + 100, now=NOW).after
    change = cannot_tell(
        r, task="check", nonce="v", now=NOW + 5, reason=Reason.HASH_NOT_KNOWN, recovered=(from_escrow(7),)
    )
    assert change.after.status is Status.UNCERTAIN
    assert [v.generation for v in candidates(change.after)] == [generation(7)]


def test_what_came_back_makes_an_unmanaged_account_uncertain_though_it_could_not_be_compared() -> None:
    """A person had stated a password; what the agent had set before the restore was never asked about again."""
    r = stated(Rotation())
    change = cannot_tell(
        r, task="check", nonce="v1", now=NOW + 5, reason=Reason.HASH_NOT_KNOWN, recovered=(from_escrow(7),)
    )
    assert change.after.status is Status.UNCERTAIN
    assert len(change.ended) == 1


def test_the_live_one_and_what_came_back_with_it_are_both_kept() -> None:
    before = proven(Rotation())
    r = answer(verifying(before), before.newest, from_escrow(5), from_escrow(3), from_escrow(5)).after
    assert r.status is Status.IN_SYNC
    assert [v.generation.counter for v in r.versions] == [5, 3, 1]
    assert r.newest == generation(5)


def test_an_agent_that_invents_versions_does_not_fill_the_vault() -> None:
    full = tuple(from_escrow(n) for n in range(MAX_RECOVERED, 0, -1))
    r = replace(proven(Rotation()), versions=full, newest=full[0].generation)
    assert answer(verifying(r), None, from_escrow(MAX_RECOVERED + 1)).after.versions == full
