"""Forms that a browser posts: where they come from, whose they are, and what is in them.

Against a form of another site stand three things, each enough alone: the session's cookie does not come with a
request that another site began; the browser's `Origin` has to be this server; and a form of a signed-in person carries
a token that only this session's pages show. The token is made of the session's own, which the store does not have, so
nothing is kept for it. The forms before a session (set-up, sign-in) have the `Origin` alone.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import ValidationError

from services.api.errors import InvalidError, NotAllowedError

TOKEN = "form"  # noqa: S105 - the name of a field
_MAX_FIELDS = 32
_FORM = "application/x-www-form-urlencoded"


class ForeignFormError(NotAllowedError):
    code = "foreign_form"

    def __init__(self) -> None:
        super().__init__("This form was not sent from a page of this server, so nothing was done.")


class StaleFormError(NotAllowedError):
    """A form of another session of the same browser; `path` is where to begin anew."""

    code = "stale_form"

    def __init__(self, path: str, fields: Mapping[str, str]) -> None:
        super().__init__("This form belongs to a sign-in that has ended, so nothing was done.")
        self.path, self.fields = path, fields


async def read(request: Request) -> dict[str, str]:
    """The fields of a form that a page of this server sent.

    Raises:
        ForeignFormError: it came from elsewhere.
        InvalidError: it is no form, or none of ours.
    """
    host = request.headers.get("host", "")
    if not host or request.headers.get("origin") != f"https://{host}":
        raise ForeignFormError
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidError("body", "A form is expected here.")
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS, encoding="utf-8", errors="strict"
        )
    except ValueError as error:
        raise InvalidError("body", "This form cannot be read: it is not UTF-8, or has too many fields.") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidError("body", "This form has a field twice.")
    return fields


def token_of(session: str) -> str:
    """What the forms of a session carry; `session` is the session's own token."""
    return hmac.new(session.encode(), b"keyturn form", hashlib.sha256).hexdigest()


def belongs(fields: Mapping[str, str], session: str) -> bool:
    """Whether a form was made for this session."""
    return hmac.compare_digest(fields.get(TOKEN, "").encode(), token_of(session).encode())


_WORDS = {
    "name": "A user name is 1 to 64 of a to z, 0 to 9, and . _ @ - ; it begins with a letter or digit.",
    "code": "The set-up code is 26 letters and digits, with or without dashes, as its file shows it.",
    "length": "A generated password has 12 to 128 characters.",
    "note": "A reason has at most 500 characters.",
    "reason": "Say why, in 1 to 500 characters.",
    "alphabet": "Choose one of the alphabets.",
    "password": "Type a password.",
    "platform": "Choose one of the systems.",
    "user_name": "A user name is 1 to 64 of a to z, 0 to 9, and . _ @ - ; it begins with a letter or digit.",
    "user_names": "User names are separated by blanks or commas; each is one of this server.",
    "scopes": "Choose what it is for, one at least.",
    "days": "Choose one of the times.",
    "group": "A group's name is 1 to 64 of a to z, 0 to 9, and . _ - ; it begins with a letter or digit.",
    "person": "A user name is 1 to 64 of a to z, 0 to 9, and . _ @ - ; it begins with a letter or digit.",
    "level": "Choose one of the three.",
    "uses": "1 to 10000 machines.",
    "lifetime_seconds": "Choose one of the times.",
    "host_pattern": "A host name may have letters, digits, . _ - and, for several, the signs * ? [ ] ! as in dmz-*.",
    "networks": "A network is its first address and a length, such as 10.20.0.0/16 or 2001:db8::/32.",
    "server_name": "A server name is a host name or an address, without a port.",
    "server_port": "A port is 1 to 65535.",
    "schedule_interval": "5 to 86400 seconds.",
}
"""What would be right, by field, where a rule of the shape is broken."""


def rule_of(field: str) -> str:
    """What would be right in a field of this name."""
    return _WORDS[field]


def problems(error: ValidationError | InvalidError) -> dict[str, str]:
    """What is wrong, by field; never with what was typed."""
    if isinstance(error, ValidationError):
        names = [next((str(part) for part in reversed(each["loc"]) if part in _WORDS), "") for each in error.errors()]
        return {name: _WORDS.get(name, "Something in this form is not right.") for name in names}
    return {each["field"]: each["problem"] for each in error.extra["errors"]}
