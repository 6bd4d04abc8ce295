"""Statuses in plain words: they never claim more than is known."""

from dataclasses import replace

import pytest

from libs.domain.state import Flight, Generation, Kind, Phase, Rotation, Seen, Status, Version, VersionState
from libs.wire.reasons import VERSIONS
from services.api.accounts.schemas import NextStep
from services.api.accounts.words import in_brief, next_step, sentences
from services.api.words import ago, clock, when
from tests.unit.api.world import NOW, in_sync

PROVEN = in_sync(NOW - 180_000)
NEW = Generation(1_764_000_000, 2)
FLIGHT = Flight("tsk", Kind.RESET, NEW, "n", NOW - 60_000, NOW + 60_000)
PENDING = replace(PROVEN, status=Status.PENDING, back=Status.IN_SYNC, newest=NEW, flight=FLIGHT)
AT_AGENT = replace(
    PENDING,
    versions=(Version(NEW, VersionState.OFFERED, NOW, None, NOW - 1_000), *PROVEN.versions),
    flight=replace(FLIGHT, phase=Phase.OFFERED),
)
UNCERTAIN = replace(AT_AGENT, status=Status.UNCERTAIN, flight=None, unanswered=FLIGHT, compared_at=NOW - 180_000)
CHANGED = replace(
    PROVEN,
    status=Status.UNCERTAIN,
    fingerprint="a",
    compared_at=1,
    seen=Seen("b", Generation(1_764_000_000, 1), NOW, 1),
)
ROLLED_BACK = replace(CHANGED, seen=Seen("b", Generation(0, 0), NOW, 1))


@pytest.mark.parametrize(
    ("rotation", "happened", "step"),
    [
        (PROVEN, "Proven 3 min ago by comparison.", NextStep.NOTHING),
        (PENDING, "Waiting for the agent since 04:12 UTC.", NextStep.WAIT),
        (AT_AGENT, "The agent took it 1 s ago and is setting it now.", NextStep.WAIT),
        (UNCERTAIN, "No answer came after a change, asked 1 min ago.", NextStep.VERIFY),
        (ROLLED_BACK, "The machine was rolled back to an earlier state, seen just now.", NextStep.VERIFY),
        (CHANGED, "The password was changed on the host, seen just now.", NextStep.VERIFY),
        (Rotation(status=Status.QUARANTINED), "Two machines use this identity.", NextStep.CHOOSE_MACHINE),
        (Rotation(), "Found on the host.", NextStep.SET_PASSWORD),
        (
            replace(PROVEN, status=Status.DRIFT, compared_at=NOW - 2_460_000),
            "The password on the host is not the one Keyturn holds, compared 41 min ago.",
            NextStep.SET_PASSWORD,
        ),
    ],
)
def test_a_status_says_what_happened_and_what_helps(rotation: Rotation, happened: str, step: NextStep) -> None:
    assert sentences(rotation, NOW)[0] == happened
    assert next_step(rotation) is step


def test_what_it_means_for_the_password() -> None:
    assert sentences(PENDING, NOW)[1] == "The password proven 3 min ago stays live."
    drifted = replace(PENDING, back=Status.DRIFT)
    assert sentences(drifted, NOW)[1] == "What is live on the host stays until then."
    assert sentences(AT_AGENT, NOW)[1] == "Either password may open the account until it is proven."
    assert sentences(UNCERTAIN, NOW)[1] == "2 passwords may be live; Keyturn holds both."


@pytest.mark.parametrize("rotation", [PROVEN, PENDING, AT_AGENT, UNCERTAIN, CHANGED, ROLLED_BACK, Rotation()])
def test_no_status_says_that_nothing_changed(rotation: Rotation) -> None:
    assert "Nothing changed" not in " ".join(sentences(rotation, NOW))


def test_times_are_short() -> None:
    passed = (0, 59_999, 60_000, 3_600_000, 47 * 3_600_000, 48 * 3_600_000, -5)
    assert [ago(NOW - each, NOW) for each in passed] == [
        "just now",
        "59 s ago",
        "1 min ago",
        "1 h ago",
        "47 h ago",
        "2 days ago",
        "just now",
    ]
    assert clock(NOW - 86_400_000, NOW) == "2025-11-24 04:13 UTC"


def test_what_is_more_than_a_week_ago_has_its_date() -> None:
    week = 7 * 86_400_000
    assert [when(NOW - each, NOW) for each in (week, week + 1)] == ["7 days ago", "2025-11-18"]


def test_each_state_of_a_version_has_its_words() -> None:
    assert VERSIONS.keys() == {state.value for state in VersionState}


def test_a_row_of_a_list_says_what_it_means_for_the_password() -> None:
    assert in_brief(PROVEN, NOW) == "Proven 3 min ago by comparison."
    assert in_brief(Rotation(), NOW) == ("Found on the host. Keyturn has never set this password and does not know it.")
    assert in_brief(UNCERTAIN, NOW).endswith("2 passwords may be live; Keyturn holds both.")
