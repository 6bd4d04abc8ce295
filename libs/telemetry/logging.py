"""Logs: one JSON object a line on stderr, with `time`, `level`, `service` and `event`.

A log is read by many, so nothing secret gets into it: a `Secret` becomes `***` wherever it stands, an exception comes
without the values of its frames, and each field is cut at a length, since a field may be what a stranger sent.
What libraries log through the standard library takes the same way.
"""

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from libs.wire.secret import Secret

MAX_FIELD = 2_000
MAX_TRACE = 8_000
MAX_DEPTH = 6
MAX_ITEMS = 50

LEVELS = ("debug", "info", "warning", "error")


def set_up(service: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Makes this process log as `service`.

    Args:
        service: Stands in each line.
        level: One of LEVELS.
        stream: Where to, stderr unless given.
    """
    number = getattr(logging, level.upper())
    target = stream or sys.stderr
    before: list[Processor] = [structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level, _time]
    last: list[Processor] = [_named(service), _trace, bounded, structlog.processors.JSONRenderer(default=str)]
    structlog.configure(
        processors=[*before, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*before, structlog.stdlib.add_logger_name, _message],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    libraries = logging.StreamHandler(target)
    libraries.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [libraries]
    # Libraries tell at "info" what is of use to their authors only.
    root.setLevel(max(number, logging.WARNING))
    logging.captureWarnings(capture=True)


def bounded(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hides secrets and cuts what is too long, too deep or too many."""
    return {str(key)[:100]: value if key == "exception" else _cut(value, MAX_DEPTH) for key, value in event.items()}


def _cut(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _cut_all(value, depth - 1) if depth else "..."
    text = _text(value)
    return text if len(text) <= MAX_FIELD else f"{text[:MAX_FIELD]}... ({len(text)} characters)"


def _cut_all(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {str(key)[:100]: _cut(each, depth) for key, each in list(value.items())[:MAX_ITEMS]}
    return [_cut(each, depth) for each in list(value)[:MAX_ITEMS]]


def _text(value: Any) -> str:
    if isinstance(value, Secret):
        return "***"
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def _time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["time"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _named(service: str) -> Processor:
    def named(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return named


def _message(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A library's sentence is no event of ours; it gets one name, so that it can be searched for."""
    event["message"] = event.pop("event")
    event["event"] = "library"
    return event


def _trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The places an exception came through, with types and sentences; never the values in its frames."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()[1]
    elif isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        lines = "".join(traceback.TracebackException.from_exception(given, capture_locals=False).format())
        event["exception"] = lines[-MAX_TRACE:]
    return event
