"""A line is JSON, names what it must, and holds no secret and nothing without end."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from libs.telemetry.logging import MAX_FIELD, set_up
from libs.wire.secret import Secret

CANARY = "canary-c4n4ry"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    set_up("gateway", "info", stream)
    yield stream
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers = handlers
    root.setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_line_names_time_level_service_and_event(log: io.StringIO) -> None:
    structlog.get_logger("x").info("task taken", task="tsk_1", tries=3)
    (line,) = lines(log)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "service": "gateway", "event": "task taken", "task": "tsk_1", "tries": 3}


def test_what_is_below_the_level_is_left_out(log: io.StringIO) -> None:
    structlog.get_logger("x").debug("detail")
    assert log.getvalue() == ""


def test_a_secret_is_hidden_wherever_it_stands(log: io.StringIO) -> None:
    secret = Secret(CANARY)
    structlog.get_logger("x").info("all", plain=secret, deep={"a": [secret, (secret,)]}, raw=CANARY.encode())
    (line,) = lines(log)
    assert line["plain"] == "***"
    assert line["deep"] == {"a": ["***", ["***"]]}
    assert CANARY not in log.getvalue()


def test_an_exception_comes_without_the_values_of_its_frames(log: io.StringIO) -> None:
    def failing(password: str) -> None:
        raise ValueError(f"{len(password)} characters")

    try:
        failing(CANARY)
    except ValueError:
        structlog.get_logger("x").exception("failed")
    (line,) = lines(log)
    assert "ValueError: 13 characters" in line["exception"]
    assert "in failing" in line["exception"]
    assert CANARY not in log.getvalue()


def test_fields_are_cut(log: io.StringIO) -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    structlog.get_logger("x").info("big", text="a" * 100_000, many=list(range(10_000)), deep=deep, **{"k" * 500: 1})
    assert len(log.getvalue()) < 2 * MAX_FIELD


def test_a_line_end_from_a_stranger_makes_no_second_line(log: io.StringIO) -> None:
    structlog.get_logger("x").info("odd", name='a"\n{"level": "error"}')
    assert len(lines(log)) == 1


def test_a_library_s_record_takes_the_same_way(log: io.StringIO) -> None:
    logging.getLogger("some.library").warning("lost %s", "it")
    logging.getLogger("some.library").info("chatter")
    (line,) = lines(log)
    assert (line["event"], line["message"], line["logger"]) == ("library", "lost it", "some.library")
    assert (line["level"], line["service"]) == ("warning", "gateway")
