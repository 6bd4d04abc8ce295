"""What the lines of an account say of it: its kinds, and the password field that counts."""

import re
from pathlib import Path
from typing import Final

from agent.backends.passwd_file import PasswdLine, ShadowLine
from agent.backends.password_field import take_apart
from libs.wire.observations import Kind

_CLOSED_SHELLS: Final = frozenset({"nologin", "false", "true", "sync", "halt", "shutdown", "null"})
_NOBODY: Final = 65_534
_UID_MIN: Final = re.compile(r"^\s*UID_MIN\s+(?P<uid>\d{1,10})\s*$", re.MULTILINE)
_DEFAULT_UID_MIN: Final = 1_000
_NO_LINE: Final = b"*"


def effective_field(line: PasswdLine, shadow: ShadowLine | None) -> bytes:
    """The field that the host compares with. An account without its shadow line is as one that never had a password."""
    if not line.shadowed:
        return line.password
    return shadow.password if shadow is not None else _NO_LINE


def system_uids_below(root: Path) -> int:
    """UID_MIN of /etc/login.defs, 1000 without it."""
    try:
        found = _UID_MIN.search((root / "etc/login.defs").read_text("utf-8", "replace"))
    except OSError:
        return _DEFAULT_UID_MIN
    return int(found["uid"]) if found else _DEFAULT_UID_MIN


def _expired(shadow: ShadowLine, today: int) -> bool:
    """Whether the account or its password has run out, by the rules of shadow(5); ages are days since 1970."""
    if shadow.expires is not None and shadow.expires <= today:
        return True
    if shadow.changed == 0:
        return True  # the person must choose a new one at the next log-in
    return shadow.changed is not None and shadow.longest is not None and shadow.changed + shadow.longest < today


def kinds_of(line: PasswdLine, shadow: ShadowLine | None, *, today: int, system_below: int) -> frozenset[Kind]:
    """Every kind that holds, with `today` in days since 1970."""
    field = take_apart(effective_field(line, shadow))
    holds = {
        Kind.LOCKED: field.locked,
        Kind.NO_PASSWORD: field.never_had or field.empty,
        Kind.EXPIRED: shadow is not None and line.shadowed and _expired(shadow, today),
        Kind.NO_LOGIN_SHELL: line.shell.rsplit("/", 1)[-1] in _CLOSED_SHELLS,
        Kind.ROOT_EQUIVALENT: line.uid == 0,
        Kind.SYSTEM: 0 < line.uid < system_below or line.uid == _NOBODY,
    }
    return frozenset(kind for kind, true in holds.items() if true)
