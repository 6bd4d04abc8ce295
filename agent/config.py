"""agent.conf: what an operator may set, read so that no damage to the file changes a setting unsaid.

Editors on other systems leave byte order marks, UTF-16, carriage returns and non-breaking spaces. What is harmless is
taken; the rest is named by file, line, value and what would be right. No key falls back to its default because its line
was damaged, and the file is never written.
"""

import codecs
import difflib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent import config_values as values
from agent.proxy import Proxy
from agent.upgrade.window import ALL_DAY, Window

_MAX_BYTES: Final = 64 * 1024
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The settings, checked. `schedule_interval` is in seconds; `trust_file` is an absolute path."""

    server_name: str
    user_name: str
    server_port: int = 7272
    schedule_interval: int = 60
    proxy: Proxy | None = None
    trust_file: Path | None = None
    log_level: str = "info"
    resource_name: str | None = None
    upgrade: bool = True
    upgrade_window: Window = ALL_DAY


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` counts from 1 and is 0 where no single line is to blame."""

    file: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.sentence}" if self.line else f"{self.file}: {self.sentence}"


class ConfigError(Exception):
    """Permanent until the file is edited: everything that is wrong with it, in the order of its lines."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


_KEYS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "ServerName": ("server_name", values.server_name),
    "ServerPort": ("server_port", values.server_port),
    "ScheduleInterval": ("schedule_interval", values.schedule_interval),
    "UserName": ("user_name", values.user_name),
    "Proxy": ("proxy", values.proxy),
    "TrustFile": ("trust_file", values.trust_file),
    "LogLevel": ("log_level", values.log_level),
    "ResourceName": ("resource_name", values.resource_name),
    "Upgrade": ("upgrade", values.upgrade),
    "UpgradeWindow": ("upgrade_window", Window.parse),
}
_REQUIRED: Final = ("ServerName", "UserName")
_MAY_BE_EMPTY: Final = frozenset({"Proxy", "TrustFile", "ResourceName"})


def load_config(path: Path) -> AgentConfig:
    """The settings in this file.

    Raises:
        ConfigError: the file cannot be read, or anything in it is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError((Problem(path, 0, f"cannot be read: {error.strerror}"),)) from error
    return parse_config(data, path)


def check_config(path: Path) -> list[str]:
    """Every problem of this file as a sentence; none when an agent can start with it."""
    try:
        load_config(path)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def parse_config(data: bytes, path: Path) -> AgentConfig:
    """The settings in these bytes; `path` is for the sentences alone."""
    if len(data) > _MAX_BYTES:
        raise ConfigError((Problem(path, 0, f"has {len(data)} bytes and {_MAX_BYTES} is the most"),))
    found: dict[str, tuple[int, Any]] = {}
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(_decode(data, path).split("\n"), start=1):
        sentence = _take(line.removesuffix("\r").strip(" \t"), number, found, seen)
        if sentence is not None:
            problems.append(Problem(path, number, sentence))
    problems += [
        Problem(path, 0, f"{key} is missing; add a line {key}=…, {values.MEANING[key]}")
        for key in _REQUIRED
        if key not in seen
    ]
    if problems:
        raise ConfigError(tuple(problems))
    return AgentConfig(**{_KEYS[key][0]: value for key, (_, value) in found.items()})


def _take(line: str, number: int, found: dict[str, tuple[int, Any]], seen: dict[str, int]) -> str | None:
    """Take one line in, or say what is wrong with it."""
    if not line or line[0] in "#;":
        return None
    key, equals, value = line.partition("=")
    key, value = key.strip(" \t"), value.strip(" \t")
    if invisible := _invisible(line):
        if key in _KEYS:
            seen.setdefault(key, number)  # it is there, and damaged: nobody is told to add it
        return invisible
    if not equals:
        return f"{_shown(line)} has no equals sign; write Key=value, or # in front of a remark"
    if key not in _KEYS:
        return _unknown(key)
    if key in seen:
        return f"{key} stands in line {seen[key]} already; keep one of the two"
    seen[key] = number
    return _take_value(key, value, number, found)


def _take_value(key: str, value: str, number: int, found: dict[str, tuple[int, Any]]) -> str | None:
    if not value:
        return None if key in _MAY_BE_EMPTY else f"{key} has no value; write {values.MEANING[key]}"
    try:
        found[key] = number, _KEYS[key][1](value)
    except ValueError as error:
        shown = values.without_sign_in(value) if key == "Proxy" else value
        return f"{key}={_shown(shown)} is not right: {error}"
    return None


def _decode(data: bytes, path: Path) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            data, encoding = data[len(mark) :], name
            break
    else:
        encoding = "utf-8"
    if encoding == "utf-8" and b"\0" in data:
        sentence = "has NUL bytes, as UTF-16 without its byte order mark does; save it as UTF-8"
        raise ConfigError((Problem(path, data[: data.index(b"\0")].count(b"\n") + 1, sentence),))
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "replace")
        column = len(before) - (before.rfind("\n") + 1) + 1
        sentence = f"the byte 0x{data[error.start]:02x} at column {column} is no {encoding.upper()}; save it as UTF-8"
        raise ConfigError((Problem(path, before.count("\n") + 1, sentence),)) from None


def _invisible(line: str) -> str | None:
    for column, letter in enumerate(line, start=1):
        if letter not in " \t" and unicodedata.category(letter) in {"Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs"}:
            name = unicodedata.name(letter, "a control character").lower()
            return (
                f"{_shown(line)} has the invisible character U+{ord(letter):04X} ({name}) at column {column}; delete it"
            )
    return None


def _unknown(key: str) -> str:
    if key.startswith("["):
        return f"{_shown(key)} is a section; agent.conf has none, delete the line"
    by_lower = {known.lower(): known for known in _KEYS}
    close = difflib.get_close_matches(key.lower(), by_lower, n=1)
    meant = f"did you mean {by_lower[close[0]]}?" if close else f"the keys are {', '.join(_KEYS)}"
    return f"the key {_shown(key)} is not known; {meant}"


def _shown(text: str) -> str:
    """A value between quotation marks, with every invisible letter made visible, and not without end."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
