"""On a terminal: what is typed is never shown, and never in argv."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from libs.cli.progress import Progress
from libs.client import models
from tests.unit.cli.terminal import on_a_terminal

SERVER = ("--server", "https://127.0.0.1:9")
"""Nobody listens there; the prompts come first."""
CANARY = "canary-Typed-by-a-person"


def test_a_typed_password_never_shows(tmp_path: Path) -> None:
    status, shown = on_a_terminal([*SERVER, "login", "ada"], [CANARY.encode()], tmp_path)
    assert (status, "cannot be reached" in shown) == (9, True), shown
    assert "Password: " in shown
    assert CANARY not in shown
    assert not list(tmp_path.iterdir())


def test_the_name_is_asked_for_too(tmp_path: Path) -> None:
    status, shown = on_a_terminal([*SERVER, "login"], [b"ada", CANARY.encode()], tmp_path)
    assert (status, "Name: ada" in shown, CANARY in shown) == (9, True, False), shown


@pytest.mark.parametrize(
    ("typed", "status", "word"),
    [
        ([CANARY, CANARY, CANARY], 9, "cannot be reached"),
        ([CANARY, CANARY, CANARY + "x"], 2, "differ"),
        ([CANARY, "x" * 600], 2, "511"),
        ([CANARY, "\udcff"], 2, "UTF-8"),
        ([CANARY, ""], 2, "at least one byte"),
    ],
)
def test_a_new_password_is_typed_twice(tmp_path: Path, typed: list[str], status: int, word: str) -> None:
    raw = [each.encode("utf-8", "surrogateescape") for each in typed]
    done, shown = on_a_terminal([*SERVER, "setup", "ada"], raw, tmp_path)
    assert (done, word in shown) == (status, True), shown
    assert "First-run code: " in shown
    assert CANARY not in shown
    assert "Traceback" not in shown


REVEAL = "from libs.cli.ask import leave_to_show; leave_to_show(); print('secret')"


def test_passwords_stand_on_a_terminal_after_a_hint_only(tmp_path: Path) -> None:
    status, shown = on_a_terminal([], [b""], tmp_path, ("-c", REVEAL))
    assert status == 0
    assert shown.index("history") < shown.index("secret")
    status, shown = on_a_terminal([], [b"\x04"], tmp_path, ("-c", REVEAL))  # the end of input
    assert (status == 0, "secret" in shown) == (False, False), shown


def task(state: str) -> models.Task:
    ref: dict[str, Any] = {"id": "x_y", "name": "x"}
    return models.Task.model_validate(
        {"id": "tsk_x", "kind": "reset", "state": state, "open": True, "sentence": "", "note": "", "opens": None}
        | {"account": ref, "resource": ref, "requester": None, "reason": None, "detail": None, "remarks": []}
        | {"requested_at": "2025-11-25T04:00:00Z", "offered_at": None, "ended_at": None}
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_each_step_is_a_line_once(capsys: pytest.CaptureFixture[str], *, terminal: bool) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=terminal, width=80)
    with Progress(console=console) as progress:
        for state in ("requested", "queued", "queued", "offered", "done"):
            progress.told(task(state))
    text = shown.getvalue() if terminal else capsys.readouterr().err
    if terminal:
        assert "…" in text  # the step that it is at, until it is over
    else:
        assert [line.split("s  ")[1] for line in text.splitlines()] == [
            "asked; the scheduler takes it",
            "waits for the agent",
            "the agent has it",
        ]
    with Progress(quiet=True, console=console) as progress:
        progress.told(task("queued"))
    assert capsys.readouterr().err == ""
