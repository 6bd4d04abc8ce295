"""The shapes that every noun's schemas are made of: bodies, answers, moments, pages.

A body from outside is strict: a field that the route does not know is an error that names it, because a misspelt
option that is silently ignored changes a password in another way than its sender meant. An answer's moments are
RFC 3339 in UTC with milliseconds; inside the process they are Unix milliseconds.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema

from services.api.errors import BadCursorError

MAX_PAGE = 200
MAX_CURSOR = 2_048


def to_text(millis: int) -> str:
    """RFC 3339 of Unix milliseconds, in UTC."""
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    int,
    PlainSerializer(to_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A moment in an answer: Unix milliseconds inside, RFC 3339 UTC outside."""

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=MAX_CURSOR, pattern=r"^[A-Za-z0-9_-]+$", description="`next` of the page before; opaque."),
]

Name = Annotated[str, StringConstraints(max_length=253)]

T = TypeVar("T")
R = TypeVar("R")
K = TypeVar("K", int, str)

_EVER = 2**53


class Body(BaseModel):
    """What a request carries. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def example(fields: dict[str, Any]) -> ConfigDict:
    """The configuration of a body whose example the interface's description shows; a test sends each."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class View(BaseModel):
    """What an answer carries."""

    model_config = ConfigDict(frozen=True)


class Page(View, Generic[T]):
    """One page of a list; `next` is the cursor of the following one, absent on the last."""

    items: tuple[T, ...]
    next: str | None = Field(default=None, description="Give it back as `cursor`; null on the last page.")


class Ref(View):
    """A thing by its identifier, with the name that people know."""

    id: str
    name: str


def to_cursor(place: tuple[Any, str]) -> str:
    """The place where a page ended, as text that people need not understand."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def from_cursor(text: str | None, kind: type[K]) -> tuple[K, str] | None:
    """The place that a cursor names: a value of `kind` and an identifier.

    Raises:
        BadCursorError: it is none of ours.
    """
    if text is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadCursorError from error
    if not isinstance(found, list) or [type(part) for part in found] != [kind, str]:
        raise BadCursorError
    value, name = found
    if isinstance(value, int) and not 0 <= value < _EVER:
        raise BadCursorError
    return value, name


def page_of(found: Sequence[R], limit: int, view: Callable[[R], T], place: Callable[[R], tuple[Any, str]]) -> Page[T]:
    """A page of what was found when one more than `limit` was asked for."""
    shown = found[:limit]
    following = to_cursor(place(shown[-1])) if len(found) > limit else None
    return Page(items=tuple(view(each) for each in shown), next=following)
