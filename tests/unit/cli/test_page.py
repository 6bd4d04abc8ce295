"""The page about the command says what the command does."""

import re
import shlex
from pathlib import Path

import httpx
import pytest

from libs.cli import exits
from tests.unit.cli.terminal import Keyturn

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cli.md"


def commands() -> list[list[str]]:
    """The words of each command in the page's blocks for a shell."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [
        shlex.split(command.strip())
        for line in "".join(blocks).splitlines()
        for command in re.split(r"\||&&|;", line)
        if command.strip().startswith("keyturn ")
    ]


def test_every_command_on_the_page_is_one(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option that was renamed stayed on a page for two years, and each newcomer's first try ended in an error."""
    keyturn = Keyturn(monkeypatch, capsys, httpx.MockTransport(lambda _: httpx.Response(500)))
    assert len(commands()) > 20
    for words in commands():
        done = keyturn(*words[1:], "--help")
        assert (done.status, done.err) == (0, ""), words
    assert keyturn("reset", "x/y", "--no-such-option", "--help").status == 2
    assert not config.exists()


def test_the_page_lists_the_statuses_as_the_help_does() -> None:
    listed = dict(re.findall(r"^\| (\d) \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    assert listed == dict(re.findall(r"^(\d)  (.*)$", exits.__doc__ or "", re.MULTILINE))
