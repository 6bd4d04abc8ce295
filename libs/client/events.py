"""Server-sent events: identifiers of what changed, never the change itself. After any gap one reads again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from libs.client.errors import NotReachableError


@dataclass(frozen=True)
class Event:
    """One event: its type, and the identifiers in it."""

    type: str
    data: dict[str, object] = field(default_factory=dict)


def read(answer: httpx.Response) -> Iterator[Event | None]:
    """The events of a stream as they come; None for a heartbeat.

    Raises:
        NotReachableError: the stream is not one of ours, or damaged.
    """
    kind, data = "message", ""
    for line in answer.iter_lines():
        if not line:
            if data:
                yield Event(kind, _data(data))
            kind, data = "message", ""
        elif line.startswith(":"):
            yield None
        else:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "data":
                data += value


def _data(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise NotReachableError("an event arrived damaged") from error
    return found if isinstance(found, dict) else {}
