"""/etc/passwd and /etc/shadow, read by line as bytes.

The C library's enumeration is of no use here: it returns `+` and `-` lines as accounts with uid 0, asks directories for
hundreds of thousands of entries, and gives names that cannot be asked for again. So a line counts only if asking the
C library for its name would lead back to that same line and the host's own tools read it too: seven fields, a name in
UTF-8, a uid below 2**32 - 1, and no earlier line of the same name. Every other line is reported with its number and
rule.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.backends.ports import Bounds, SkippedLine

_PASSWD_FIELDS: Final = 7
_NAME_CHARACTERS: Final = 256
_DIGITS: Final = 10  # of 2**32
_RESERVED_ID: Final = 2**32 - 1  # -1, which system calls read as "leave unchanged"
_SHADOWED: Final = b"x"


@dataclass(frozen=True, slots=True)
class PasswdLine:
    """One account's line. `password` is `x` where the field stands in /etc/shadow."""

    name: str
    password: bytes
    uid: int
    gid: int
    shell: str

    @property
    def shadowed(self) -> bool:
        return self.password == _SHADOWED


@dataclass(frozen=True, slots=True)
class ShadowLine:
    """One account's password field and its ages, in days since 1970; None where the field is empty or no number."""

    password: bytes
    changed: int | None = None
    longest: int | None = None
    expires: int | None = None


@dataclass(frozen=True, slots=True)
class PasswdFile:
    """The accounts of one reading."""

    lines: tuple[PasswdLine, ...]
    skipped: tuple[SkippedLine, ...]
    cut: bool


class _Cut(Exception):  # noqa: N818 - not an error: the end of a bounded reading
    """A bound was reached."""


def _stream(path: Path, bounds: Bounds, clock: Callable[[], float]) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines without their end; None for a line over its bound.

    Raises:
        _Cut: the file is larger, or took longer, than the bounds allow.
    """
    until = clock() + bounds.seconds
    read = 0
    number = 0
    with path.open("rb") as file:
        while line := file.readline(bounds.line_bytes + 1):
            number += 1
            read += len(line)
            too_long = len(line) > bounds.line_bytes
            while not line.endswith(b"\n") and (rest := file.readline(65_536)):
                read += len(rest)
                too_long = True
                line = rest
                if read > bounds.file_bytes:
                    break
            if read > bounds.file_bytes or clock() > until:
                raise _Cut
            yield number, None if too_long else line.removesuffix(b"\n")


def _number(field: bytes) -> int | None:
    return int(field) if field.isdigit() and len(field) <= _DIGITS else None


def parse_passwd_line(line: bytes) -> PasswdLine | str:
    """The account on this line, or the rule by which it is none."""
    if rule := _line_rule(line):
        return rule
    raw, password, uid_field, gid_field, _, _, shell = line.split(b":")
    uid, gid = _number(uid_field), _number(gid_field)
    if rule := _name_rule(raw):
        return rule
    if uid is None or uid >= _RESERVED_ID:
        return "uid_out_of_range"
    if gid is None or gid >= _RESERVED_ID:
        return "gid_out_of_range"
    return PasswdLine(raw.decode(), password, uid, gid, shell.decode("utf-8", "replace").rstrip("\r"))


def _line_rule(line: bytes) -> str | None:
    rules = {
        "blank": not line.strip(),
        "comment": line.lstrip().startswith(b"#"),
        "directory_mark": line[:1] in {b"+", b"-"},
        "nul_byte": b"\0" in line,
        "not_seven_fields": line.count(b":") + 1 != _PASSWD_FIELDS,
    }
    return next((rule for rule, broken in rules.items() if broken), None)


def _name_rule(raw: bytes) -> str | None:
    if not raw:
        return "empty_name"
    if raw != raw.strip():
        return "blank_around_name"
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return "name_not_utf8"
    if len(name) > _NAME_CHARACTERS:
        return "name_too_long"
    if not name.isprintable():
        return "control_character_in_name"
    return None


def read_passwd(path: Path, bounds: Bounds, clock: Callable[[], float] = time.monotonic) -> PasswdFile:
    """Every account of the file within the bounds.

    Raises:
        OSError: the file cannot be read.
    """
    lines: dict[str, PasswdLine] = {}
    skipped: list[SkippedLine] = []
    cut = False
    try:
        for number, line in _stream(path, bounds, clock):
            found = "line_too_long" if line is None else parse_passwd_line(line)
            if isinstance(found, PasswdLine) and found.name in lines:
                found = "name_seen_before"
            if isinstance(found, PasswdLine):
                if len(lines) == bounds.accounts:
                    cut = True
                    break
                lines[found.name] = found
            elif len(skipped) < bounds.skipped:
                skipped.append(SkippedLine(number, found))
            else:
                cut = True
    except _Cut:
        cut = True
    return PasswdFile(tuple(lines.values()), tuple(skipped), cut)


def find_passwd(path: Path, name: str, bounds: Bounds) -> PasswdLine | None:
    """The first line of this name, as the C library would answer; bounds of size hold, that of count does not.

    Raises:
        OSError: the file cannot be read, or is larger than the bounds before the name was met.
    """
    try:
        for _, line in _stream(path, bounds, time.monotonic):
            found = "" if line is None else parse_passwd_line(line)
            if isinstance(found, PasswdLine) and found.name == name:
                return found
    except _Cut:
        raise OSError(f"{path} is larger than {bounds.file_bytes} bytes or slower than {bounds.seconds} s") from None
    return None


def read_shadow(path: Path, names: frozenset[str], bounds: Bounds) -> tuple[dict[str, ShadowLine], bool]:
    """The shadow lines of these names, the first of each, and whether the reading was cut.

    Raises:
        OSError: the file cannot be read.
    """
    found: dict[str, ShadowLine] = {}
    wanted = {name.encode(): name for name in names}
    try:
        for _, line in _stream(path, bounds, time.monotonic):
            fields = (line or b"").split(b":")
            name = wanted.get(fields[0])
            if name is not None and name not in found and len(fields) > 1:
                fields += [b""] * (9 - len(fields))
                found[name] = ShadowLine(fields[1], _number(fields[2]), _number(fields[4]), _number(fields[7]))
                if len(found) == len(wanted):
                    break
    except _Cut:
        return found, True
    return found, False
