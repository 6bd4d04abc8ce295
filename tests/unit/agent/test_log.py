"""The log's file on hosts without a journal."""

import json
from pathlib import Path

from agent.log import Log
from agent.log_file import Kept


def test_both_files_together_never_outgrow_twice_the_bound(tmp_path: Path) -> None:
    at = tmp_path / "agent.log"
    log = Log("info", Kept(at, most=2_000))
    for number in range(200):
        log.say("no contact", code="no_contact", again_in=number)
    log.say("not at this level", level="debug")
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["agent.log", "agent.log.old"]
    assert sum(each.stat().st_size for each in files) < 4_400
    assert json.loads(at.read_text().splitlines()[-1])["again_in"] == 199
    assert at.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_gone_ends_nothing(tmp_path: Path) -> None:
    Log("info", Kept(tmp_path / "gone" / "agent.log")).say("started")
