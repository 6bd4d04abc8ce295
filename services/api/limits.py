"""Around the framework, in plain ASGI: the body's bound and its time, the headers that every answer has, the count.

A body is read whole here, within its bound and within thirty seconds, before anything looks at it. So a slow or endless
body holds no session, no store and no thread. The bound is 1 MiB at the agents' door, where results and observations
are, and 64 KiB for people.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from libs.wire.agent_api import MAX_BODY
from services.api.pace import Left
from services.api.poll import App, Receive, Scope, Send
from services.api.problems import problem

MAX_PERSON_BODY = 65_536
BODY_SECONDS = 30
AGENT_PREFIX = "/agent/"

_HEADERS = [
    (b"strict-transport-security", b"max-age=31536000"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
"""What an answer has that does not say otherwise itself."""

Answered = Callable[[str, str, int], None]
"""Told of each answer: method, the route's template and the status."""


class Limits:
    """Wraps `app`."""

    def __init__(self, app: App, answered: Answered) -> None:
        self._app, self._answered = app, answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status = 0

        async def headed(message: Scope) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                given = {name for name, _ in headers}
                left: Left | None = scope.get("state", {}).get("left")
                more = _HEADERS if left is None else [*_HEADERS, *left.headers]
                message["headers"] = [*headers, *(each for each in more if each[0] not in given)]
            await send(message)

        try:
            refused = await self._refused(scope, receive)
            if isinstance(refused, bytes):
                await self._app(scope, given_again(refused, receive), headed)
            elif refused is not None:
                await problem(*refused)(scope, receive, headed)
        finally:
            route = scope.get("route")
            if status:
                self._answered(scope["method"], getattr(route, "path", "none"), status)

    async def _refused(self, scope: Scope, receive: Receive) -> bytes | tuple[HTTPStatus, str, str] | None:
        """The body; or why it is not taken; or None when its sender left."""
        bound = MAX_BODY if scope["path"].startswith(AGENT_PREFIX) else MAX_PERSON_BODY
        too_large = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"A body has at most {bound} bytes here.")
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if length.isdigit() and int(length) > bound:
            return too_large
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > bound:
                        return too_large
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            detail = f"The body did not come within {BODY_SECONDS} s."
            return HTTPStatus.REQUEST_TIMEOUT, "too_slow", detail


def given_again(body: bytes, receive: Receive) -> Receive:
    """The body once, then what the server says, which is that the sender has left."""
    given = False

    async def replayed() -> Scope:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
