"""Adoption: a person states the live password of an account; it is compared, and never set."""

import pytest

from libs.domain.errors import BusyError, NotNowError
from libs.domain.rotation import cannot_tell, fetched, lost, withdrawn
from libs.domain.state import End, Kind, Rotation, Status, VersionState
from libs.domain.trust import trust_lost
from libs.domain.versions import candidates
from libs.wire.reasons import Reason
from tests.unit.domain.turns import answer, asked, drifted, proven, stated, uncertain, verifying


@pytest.mark.parametrize("before", [Rotation(), drifted()], ids=["unmanaged", "drift"])
def test_what_opens_the_account_is_in_sync_and_nothing_was_set(before: Rotation) -> None:
    r = stated(before)
    assert r.status is before.status
    assert candidates(r)[0].state is VersionState.STATED
    change = answer(r, r.newest)
    assert (change.after.status, change.after.flight) == (Status.IN_SYNC, None)
    assert change.after.proof is not None
    assert change.after.proof.generation == r.newest
    assert [(each.kind, each.end, each.opens) for each in change.ended] == [(Kind.ADOPT, End.DONE, True)]


@pytest.mark.parametrize("before", [Rotation(), drifted()], ids=["unmanaged", "drift"])
def test_what_does_not_open_it_changes_no_status_and_is_kept(before: Rotation) -> None:
    r = stated(before)
    change = answer(r, None)
    assert change.after.status is before.status
    assert change.after.versions[0].state is VersionState.REFUSED
    assert change.ended[0].reason is Reason.STATED_NOT_LIVE
    assert (change.ended[0].end, change.ended[0].opens) == (End.REFUSED, False)


def test_an_older_one_that_opens_is_in_sync_and_the_person_was_wrong() -> None:
    before = drifted()
    change = answer(stated(before), before.newest)
    assert change.after.status is Status.IN_SYNC
    assert change.after.versions[0].state is VersionState.REFUSED
    assert change.ended[0].reason is Reason.STATED_NOT_LIVE


def test_withdrawn_or_unanswered_it_says_nothing() -> None:
    r = stated(Rotation())
    back = withdrawn(r, task="check", end=End.CANCELLED, reason=Reason.CANCELLED, now=220).after
    assert (back.status, candidates(back)) == (Status.UNMANAGED, ())
    taken = fetched(r, task="check", nonce="v1", at=215, lease_until=300).after
    silent = lost(taken, task="check", now=400)
    assert (silent.after.status, silent.ended[0].end) == (Status.UNMANAGED, End.CANNOT_TELL)
    assert candidates(silent.after) == r.versions
    unsure = cannot_tell(taken, task="check", nonce="v1", now=300, reason=Reason.HASH_NOT_KNOWN)
    assert (unsure.after.status, unsure.ended[0].kind) == (Status.UNMANAGED, Kind.ADOPT)


def test_a_later_comparison_tells_of_a_statement_that_had_no_answer() -> None:
    silent = lost(stated(Rotation()), task="check", now=400).after
    r = verifying(trust_lost(silent, now=410).after)
    assert answer(r, None).after.versions[0].state is VersionState.REFUSED
    assert answer(r, None).after.status is Status.UNMANAGED


@pytest.mark.parametrize(
    ("before", "reason"),
    [(proven(Rotation()), Reason.PASSWORD_KNOWN), (uncertain(), Reason.ACCOUNT_UNCERTAIN)],
    ids=["in sync", "uncertain"],
)
def test_where_the_password_is_known_or_two_may_be_live_none_is_stated(before: Rotation, reason: Reason) -> None:
    with pytest.raises(NotNowError) as error:
        stated(before)
    assert error.value.reason is reason


def test_it_waits_for_nobody_elses() -> None:
    with pytest.raises(BusyError):
        stated(asked(Rotation()))
