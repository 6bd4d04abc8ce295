"""The audit as a file: taken out, checked without a server, and what a forger leaves behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.terminal import Keyturn
from tests.unit.client.machines import Site


@pytest.fixture
def exported(keyturn: Keyturn, running: Site, tmp_path: Path) -> Path:
    """What the server recorded of a reset."""
    assert keyturn("reset", f"{running.host}/deploy", "--generate").status == 0
    file = tmp_path / "audit.jsonl"
    assert keyturn("audit", "export", "-o", str(file)).status == 0
    return file


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_an_export_is_whole_and_says_where_each_chain_ends(keyturn: Keyturn, exported: Path) -> None:
    found = lines(exported)
    told = keyturn("audit", "verify", str(exported), "--json").json
    assert {name: each["records"] for name, each in told.items()} == {
        service: sum(each["service"] == service for each in found) for service in ("bundler", "gateway", "scheduler")
    }
    assert all((each["missing"], each["faults"], each["records"]) == (0, [], each["last"]) for each in told.values())
    last = next(each["record"] for each in reversed(found) if each["service"] == "scheduler")
    said = keyturn("audit", "verify", str(exported)).out
    assert "scheduler: " in said
    assert f"the last is {last['seq']}: {last['hash']}" in said


def test_a_record_that_is_left_out_is_counted(keyturn: Keyturn, exported: Path) -> None:
    left = [each for each in lines(exported) if (each["service"], each["record"]["seq"]) != ("gateway", 2)]
    exported.write_text("".join(json.dumps(each) + "\n" for each in left))
    done = keyturn("audit", "verify", str(exported))
    assert (done.status, "1 between them are not in this file" in done.out) == (0, True)


def test_a_record_that_was_changed_is_found(keyturn: Keyturn, exported: Path) -> None:
    found = lines(exported)
    changed = next(each["record"] for each in found if each["record"]["what"] == "reset.requested")
    changed["who"]["name"] = "somebody-else"
    exported.write_text("".join(json.dumps(each) + "\n" for each in found))
    done = keyturn("audit", "verify", str(exported))
    assert (done.status, f"record {changed['seq']} was changed after it was written" in done.out) == (1, True)


@pytest.mark.parametrize("text", ["no json\n", "[]\n", '{"service": "gateway"}\n', '{"at": 1}\n'])
def test_a_file_that_is_no_export_is_said_to_be_none(keyturn: Keyturn, tmp_path: Path, text: str) -> None:
    file = tmp_path / "other"
    file.write_text(text)
    done = keyturn("audit", "verify", str(file))
    assert (done.status, str(file) in done.err) == (2, True)
    assert keyturn("audit", "verify", str(tmp_path / "nowhere")).status == 2
    assert keyturn("audit", "export", "-o", str(file), "--format", "xls").status == 2
