"""What went wrong is kept, bounded, until the server has heard it."""

from pathlib import Path

from agent.failures import Failures
from agent.report import Told
from libs.wire.agent_api import MAX_SAID


def test_the_same_trouble_is_counted_and_a_flood_of_codes_is_bounded(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    for moment in range(3):
        failures.note("no_contact", f"nobody\nanswers, attempt {moment}", 1_000 + moment)
    (said,) = failures.untold
    assert (said.times, said.first_at, said.last_at) == (3, 1_000, 1_002)
    assert said.sentence == "nobody answers, attempt 2"
    for number in range(30):
        failures.note(f"code_{number}", "x" * 1_000, 2_000 + number)
    assert len(failures.untold) == MAX_SAID
    assert (tmp_path / "failures.json").stat().st_size < 8_192
    assert (tmp_path / "failures.json").stat().st_mode & 0o777 == 0o600
    assert [each.code for each in Failures(tmp_path).untold] == [each.code for each in failures.untold]


def test_what_was_heard_goes_and_what_came_meanwhile_stays(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    failures.note("no_contact", "first", 1)
    failures.note("clock_skew", "an hour", 2)
    told = failures.untold
    failures.note("no_contact", "again, while it was told", 3)
    failures.told(told)
    assert [each.sentence for each in Failures(tmp_path).untold] == ["again, while it was told"]


def test_a_damaged_file_or_a_disk_that_takes_none_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "failures.json").write_text('[{"code": 7}]')
    assert Failures(tmp_path).untold == ()
    gone = Failures(tmp_path / "gone")
    gone.note("What is no code", "at all", 1)
    assert gone.untold[0].code == "unknown"


def test_every_problem_that_the_status_shows_is_kept(tmp_path: Path) -> None:
    told = Told(tmp_path, "keyturn:7272", lambda: 5)
    told.problem("no_contact: keyturn:7272 cannot be reached")
    told.problem("no_contact: keyturn:7272 cannot be reached")
    (said,) = told.failures.untold
    assert (said.code, said.sentence, said.times) == ("no_contact", "keyturn:7272 cannot be reached", 2)
