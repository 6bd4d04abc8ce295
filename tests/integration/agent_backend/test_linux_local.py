"""The Linux backend on a private copy of /etc, with the host's real tool, PAM and libcrypt."""

import subprocess
from typing import Any

import pytest

from tests.integration.agent_backend.conftest import Scenario

pytestmark = pytest.mark.host

DONE: dict[str, Any] = {"outcome": "done", "reason": None, "detail": "", "remarks": []}


def test_a_reset_opens_with_the_new_password_and_not_with_the_old(in_private_etc: Scenario) -> None:
    seen = in_private_etc("reset")
    assert seen["answer"] == DONE
    assert seen["new_opens"]
    assert not seen["old_opens"]
    assert seen["compared"]["opens"] == "opens"
    assert seen["old_at_start"], "the tool was given something before its pid was journalled"
    assert not seen["secret_in_argv"]
    assert seen["birth"]
    assert seen["mode_kept"]
    assert seen["left_over"] == []


def test_an_unsettable_password_changes_no_account(in_private_etc: Scenario) -> None:
    seen = in_private_etc("injection")
    assert [(answer["outcome"], answer["reason"]) for answer in seen["answers"]] == [
        ("refused", "password_not_settable")
    ] * 5
    assert "line feed" in seen["answers"][0]["detail"]
    assert seen["untouched"]
    assert seen["longest"] == DONE
    assert seen["longest_opens"]


def test_a_locked_account_is_set_and_stays_locked(in_private_etc: Scenario) -> None:
    seen = in_private_etc("locked")
    assert seen["answer"] == DONE | {"remarks": ["locked"]}
    assert seen["mark_kept"]
    assert seen["compared"]["opens"] == "opens"
    assert seen["compared"]["remarks"] == ["locked"]
    assert seen["unlocked"] == DONE
    assert seen["mark_gone"]
    assert seen["opens"]


def test_an_account_that_never_had_a_password_is_changed_with_unlock_only(in_private_etc: Scenario) -> None:
    seen = in_private_etc("never_had")
    assert (seen["answer"]["outcome"], seen["answer"]["reason"]) == ("refused", "account_locked")
    assert seen["same"]
    assert seen["unlock"] == DONE
    assert seen["opens"]


def test_a_held_lock_is_named_with_its_holder(in_private_etc: Scenario) -> None:
    seen = in_private_etc("busy")
    assert (seen["answer"]["outcome"], seen["answer"]["reason"]) == ("refused", "account_db_busy")
    assert f"process {seen['holder']}" in seen["answer"]["detail"]
    assert seen["old_opens"]


def test_a_tool_that_waits_too_long_is_killed_and_changes_nothing_later(in_private_etc: Scenario) -> None:
    seen = in_private_etc("times_out")
    assert (seen["answer"]["outcome"], seen["answer"]["reason"]) == ("refused", "account_db_busy")
    assert seen["old_opens"]
    assert not seen["new_opens"]


def test_the_tool_dies_with_its_agent(in_private_etc: Scenario) -> None:
    seen = in_private_etc("killed_agent")
    assert seen["alive_before"]
    assert seen["reaped"] in {"gone", "ended"}
    assert seen["settled"]
    assert seen["compared"]["opens"] == "does_not_open"
    assert seen["old_opens"]


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("read_only", "etc_read_only"),
        ("immutable", "shadow_immutable"),
        ("mounted", "shadow_is_mount"),
        ("full", "disk_full"),
        ("no_chown", "no_privilege"),
    ],
)
def test_what_stands_in_the_way_is_named(in_private_etc: Scenario, scenario: str, reason: str) -> None:
    seen = in_private_etc(scenario)
    assert (seen["answer"]["outcome"], seen["answer"]["reason"]) == ("refused", reason)
    assert seen["same"]
    assert seen.get("still_immutable", True), "the agent took away an attribute that is not its own"


def test_bad_lines_stop_neither_discovery_nor_a_reset(in_private_etc: Scenario) -> None:
    seen = in_private_etc("bad_lines")
    assert "k1" in seen["names"]
    assert seen["names"].count("k1") == 1
    assert not [name for name in seen["names"] if name[:1] in "+-" or not name]
    assert seen["rules"] == [
        "directory_mark",
        "directory_mark",
        "directory_mark",
        "name_not_utf8",
        "empty_name",
        "uid_out_of_range",
        "name_seen_before",
        "blank",
        "comment",
        "not_seven_fields",
    ]
    assert "root_equivalent" in seen["kinds"]["toor"]
    assert seen["answer"] == DONE
    assert seen["toor"] == DONE
    assert seen["toor_opens"]


def test_a_name_that_is_not_local_is_refused_with_what_is_known_of_it(in_private_etc: Scenario) -> None:
    seen = in_private_etc("directory")
    assert seen["answered"]["reason"] == "not_a_local_account"
    assert "source systemd answers" in seen["answered"]["detail"]
    assert seen["nobody_knows"]["reason"] == "not_a_local_account"
    assert "no directory answers" in seen["nobody_knows"]["detail"]
    assert seen["other_uid"]["reason"] == "not_a_local_account"
    assert "another account" in seen["other_uid"]["detail"]
    assert seen["old_opens"]


def test_a_refusal_by_pam_is_told_in_the_hosts_words(in_private_etc: Scenario) -> None:
    seen = in_private_etc("refused_by_pam")
    assert (seen["answer"]["outcome"], seen["answer"]["reason"]) == ("refused", "refused_by_host")
    assert "password not changed" in seen["answer"]["detail"]
    assert seen["same"]


def test_a_tool_is_not_believed(in_private_etc: Scenario) -> None:
    seen = in_private_etc("lies")
    assert (seen["answer"]["outcome"], seen["answer"]["reason"]) == ("unknown", "not_live_after_set")


def test_a_hash_that_ignores_the_end_is_remarked(in_private_etc: Scenario) -> None:
    seen = in_private_etc("tail")
    assert seen["long"] == DONE | {"remarks": ["hash_ignores_tail"]}
    assert seen["short"] == DONE


def test_the_tool_sees_nothing_of_the_agents_environment(in_private_etc: Scenario) -> None:
    seen = in_private_etc("environment")
    assert [line.split("=")[0] for line in seen["environment"]] == ["HOME", "LC_ALL", "PATH"]


def test_without_its_pid_in_the_journal_the_tool_is_ended(in_private_etc: Scenario) -> None:
    seen = in_private_etc("journal_fails")
    assert seen == {"raised": "the journal is full", "old_opens": True, "tool_gone": True}


def test_a_survivor_is_reaped_and_a_stranger_is_not(in_private_etc: Scenario) -> None:
    seen = in_private_etc("survivor")
    assert seen == {"other": "gone", "untouched": True, "killed": "killed", "code": -9, "gone": "gone"}


def test_this_machines_own_accounts_are_not_touched(in_private_etc: Scenario) -> None:
    def shadow() -> bytes:
        return subprocess.run(["sha256sum", "/etc/shadow", "/etc/passwd"], check=True, capture_output=True).stdout

    before = shadow()
    in_private_etc("reset")
    assert shadow() == before
