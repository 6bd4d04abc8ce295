"""What the command's tests share."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.unit.cli.terminal import Keyturn
from tests.unit.client.machines import Site, site


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """What the services of this process log, which would stand between the lines of the command."""
    stream = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
    yield stream
    structlog.reset_defaults()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Site]:
    """The system, whose agent has told of its accounts and waits for work."""
    folder = tmp_path / "system"
    folder.mkdir()
    with site(folder) as made:
        made.begin_agent()
        yield made


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command keeps its profiles; nothing is there yet."""
    path = tmp_path / "home" / "keyturn" / "config.json"
    for name in ("KEYTURN_SERVER", "KEYTURN_CA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KEYTURN_CONFIG", str(path))
    return path


@pytest.fixture
def keyturn(
    running: Site, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Keyturn:
    """The command, signed in as the first administrator."""
    command = Keyturn(monkeypatch, capsys, running.seam)
    command.signs_in()
    assert config.is_file()
    return command
