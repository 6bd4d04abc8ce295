"""What a service's process returns to whoever started it."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from libs.domain.errors import KeyturnError
from libs.service.command import EX_CONFIG, run_service
from libs.service.lifetime import Reason, Stopped
from libs.service.settings import Settings


class Told(Settings):
    """Settings that this test gives."""


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A service makes its process log in its way; the tests after these share the process."""
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    yield
    logging.captureWarnings(capture=False)
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name, value in {
        "PRIVATE": str(tmp_path),
        "PUBLIC": str(tmp_path),
        "STORE_URL": "mongodb://127.0.0.1:1/",
        "BROKER_URL": "amqp://127.0.0.1:1/",
        "HEALTH_PORT": "0",
    }.items():
        monkeypatch.setenv(f"KEYTURN_{name}", value)


def _said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(line).get("why", "") for line in capsys.readouterr().err.splitlines()]


@pytest.mark.usefixtures("environment")
def test_the_status_is_the_one_of_how_it_stopped() -> None:
    async def run(_: Told, version: str) -> Stopped:
        return Stopped(Reason.RECOVERABLE, version)

    assert run_service("test", Told, run) == Stopped(Reason.RECOVERABLE, "").status


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("error", [OSError("no key"), ValueError("no key"), KeyturnError("no key")])
def test_what_cannot_start_says_why_in_one_line(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    async def run(_: Told, __: str) -> Stopped:
        raise error

    assert run_service("test", Told, run) == EX_CONFIG
    assert _said(capsys) == ["no key"]


def test_each_wrong_setting_is_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("PRIVATE", "PUBLIC", "STORE_URL", "BROKER_URL", "HEALTH_PORT"):
        monkeypatch.delenv(f"KEYTURN_{name}", raising=False)

    async def run(_: Told, __: str) -> Stopped:
        raise AssertionError

    assert run_service("test", Told, run) == EX_CONFIG
    assert len(_said(capsys)) == 5
