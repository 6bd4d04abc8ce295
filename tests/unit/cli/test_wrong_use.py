"""Wrong use, and servers that are not there: one line that says what would be right, and a status."""

import json
from pathlib import Path

import httpx
import pytest

from libs.cli import exits
from libs.cli.exits import Exit
from libs.client import errors
from libs.wire.agent_api import Problem
from tests.unit.cli.terminal import Keyturn
from tests.unit.client.machines import SERVER


def away(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused")


@pytest.fixture
def alone(config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keyturn:
    """The command with a session at a server that is not there."""
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"profiles": {"default": {"server": SERVER, "token": "x"}}}))
    return Keyturn(monkeypatch, capsys, httpx.MockTransport(away))


@pytest.mark.parametrize(
    ("words", "status", "word"),
    [
        (("reset", "no-slash", "--generate"), 2, "RESOURCE/NAME"),
        (("reset", "host/", "--generate"), 2, "RESOURCE/NAME"),
        (("reset", "acc_nonsense", "--generate"), 2, "acc_"),
        (("reset", "x/y", "--generate", "--stdin"), 2, "not both"),
        (("reset", "x/y", "--length", "20"), 2, "--generate"),
        (("reset", "x/y", "--generate", "--alphabet", "runes"), 2, "letters-digits"),
        (("reset", "x/y", "--generate", "--length", "11"), 2, "12"),
        (("reset", "x/y", "a-password-in-argv"), 2, "unexpected extra argument"),
        (("reset", "x/y", "--wait-seconds", "-1"), 2, "0"),
        (("verify",), 2, "ACCOUNT"),
        (("reveal", "x/y"), 2, "--reason"),
        (("tasks", "show", "tsk_nonsense"), 2, "tsk_"),
        (("tasks", "cancel", "../users"), 2, "tsk_"),
        (("audit", "--task", "x"), 2, "tsk_"),
        (("packages", "build", "solaris", "--user-name", "ops"), 2, "windows"),
        (("--server", "http://x", "about"), 2, "https://HOST:7272"),
        (("no-such-command",), 2, "No such command"),
        (("reset", "x/y", "--generate"), 9, "cannot be reached"),
        (("about",), 9, SERVER),
        (("tasks", "list"), 9, "cannot be reached"),
    ],
)
def test_what_is_wrong_is_said_with_a_status(alone: Keyturn, words: tuple[str, ...], status: int, word: str) -> None:
    done = alone(*words)
    assert (done.status, word in done.err) == (status, True), done.err
    assert done.out == ""


def test_an_authority_that_is_none_is_named(alone: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "_seam", None)  # the way over a socket, which is not taken
    for path in (tmp_path / "not-there.pem", Path(__file__)):
        done = alone("--ca", str(path), "about")
        assert (done.status, "server-ca.pem" in done.err) == (2, True)


def test_help_lists_every_status_and_every_command(alone: Keyturn) -> None:
    done = alone("--help")
    assert done.status == 0
    for line in (exits.__doc__ or "").splitlines():
        assert line in done.out.replace("\n  ", "\n")
    numbers = [line.partition("  ")[0] for line in (exits.__doc__ or "").splitlines() if line[:1].isdigit()]
    assert numbers == [str(int(each)) for each in Exit]
    for group in ("users", "resources", "accounts", "tasks", "packages"):
        assert group in done.out
        assert alone(group, "--help").status == 0


@pytest.mark.parametrize(
    ("http", "status"),
    [(401, 7), (403, 7), (404, 8), (409, 3), (413, 2), (422, 2), (429, 9), (500, 1), (503, 9)],
)
def test_each_refusal_has_its_status(http: int, status: int) -> None:
    problem = Problem(title="No", status=http, detail="No.", code="some_code")
    assert exits.of_error(errors.refusal(problem)) == status


def test_other_errors_have_theirs() -> None:
    assert exits.of_error(errors.NotTrustedError("x")) == Exit.NOT_REACHABLE
    assert exits.of_error(errors.DamagedError("x")) == Exit.WRONG


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_told_how_to_complete(
    alone: Keyturn, shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the program's own name, as `--install-completion` writes it."""
    assert alone("about").status == 9
    monkeypatch.setenv("_KEYTURN_COMPLETE", f"source_{shell}")
    done = Keyturn(monkeypatch, capsys, httpx.MockTransport(away))()
    assert (done.status, "_KEYTURN_COMPLETE=complete_" in done.out) == (0, True)
