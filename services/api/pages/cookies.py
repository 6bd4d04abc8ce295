"""The two cookies of the page: the session, and what was typed into a form when the session was lost.

Both are `__Host-` cookies: sent over HTTPS to this very host only, never with a request that another site began, and
read by no script. The draft holds no password: only the fields that `DRAFTED` names are ever put into it.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.responses import Response

from services.api.auth import COOKIE

DRAFT = "__Host-keyturn-draft"
DRAFTED = frozenset({
    *("note", "reason", "how", "length", "alphabet", "unlock", "run"),
    *("platform", "user_name", "uses", "lifetime_seconds", "host_pattern", "networks", "approval"),
    *("server_name", "server_port", "schedule_interval", "also", "for_resource"),
})  # fmt: skip
"""What is kept of a form. A field that could be secret is never added here."""

_DRAFT_SECONDS = 15 * 60
_MAX_DRAFT = 3_800
"""A browser drops a cookie of more than 4 KiB without a word."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed, and on which page."""

    path: str
    fields: Mapping[str, str] = field(default_factory=dict)


def sign_in(response: Response, token: str, expires_at: int, now: int) -> None:
    """The browser is signed in until the session ends; moments in Unix milliseconds."""
    _set(response, COOKIE, token, (expires_at - now) // 1_000)


def sign_out(response: Response) -> None:
    """The browser forgets its session."""
    _set(response, COOKIE, "", 0)


def keep(response: Response, path: str, fields: Mapping[str, str]) -> None:
    """What was typed on the page at `path` waits for the person to be signed in again; nothing secret does."""
    kept = {name: value for name, value in fields.items() if name in DRAFTED and value}
    text = base64.urlsafe_b64encode(json.dumps([path, kept], ensure_ascii=False).encode()).decode()
    if kept and len(text) <= _MAX_DRAFT:
        _set(response, DRAFT, text, _DRAFT_SECONDS)


def forget(response: Response) -> None:
    """What was typed was shown again."""
    _set(response, DRAFT, "", 0)


def draft_of(request: Request) -> Draft | None:
    """What was typed on the page that is asked for, when the session was lost there."""
    try:
        path, fields = json.loads(base64.urlsafe_b64decode(request.cookies.get(DRAFT, "")))
        kept = {name: value for name, value in fields.items() if name in DRAFTED and isinstance(value, str)}
    except (binascii.Error, ValueError, TypeError, AttributeError):
        return None
    return Draft(path, kept) if path == request.url.path else None


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")
