"""`Idempotency-Key`: a change that is sent again is not done again, and gets the answer of the first time.

A program that lost an answer sends the same request with the same key. The first request is written down before it goes
on, by its person, its key and a keyed hash of what it asks (keyed, because a body may hold a password); the answer is
kept for a day. Where nothing was done (the way was shut, too many tries, signed out) it is forgotten, so that a later
try may succeed. Where no answer is known, because a gateway died on the way, the program is told to look.

An answer with a secret is given once and not kept: the repetition says so. `ONCE` names those routes.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request

from libs.store.replays import Replay, Replays
from services.api.auth import Find, address, hashed
from services.api.limits import given_again
from services.api.poll import App, Receive, Scope, Send
from services.api.problems import problem

LIFETIME = 24 * 3_600_000
PATTERN = r"^[A-Za-z0-9._:-]{8,128}$"
ONCE = re.compile(
    r"/v1/(packages|access-tokens|second-factor(/confirm|/remove)?|accounts/[^/]+/reveal|sessions(/password)?|setup)"
)
"""Routes whose answer may hold a secret."""

_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NOTHING_DONE = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_UNKNOWN = b'"outcome_unknown"'


class Idempotency:
    """Wraps `app`. `clock` in Unix milliseconds; `secret` is common to all gateways."""

    def __init__(self, app: App, replays: Replays, find: Find, secret: bytes, clock: Callable[[], int]) -> None:
        self._app, self._replays, self._find, self._clock = app, replays, find, clock
        self._key = hmac.digest(secret, b"keyturn/idempotency/1", hashlib.sha256)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _header(scope, b"idempotency-key")
        person = None if key is None else await self._person(scope)
        if key is None or person is None:
            await self._app(scope, receive, send)
            return
        if re.fullmatch(PATTERN, key) is None:
            detail = "An Idempotency-Key has 8 to 128 letters, digits, dots, colons, dashes or underscores."
            await problem(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_wrong", detail)(scope, receive, send)
            return
        body = (await receive()).get("body", b"")
        made = self._made(person, key, scope, body)
        if await self._replays.insert(made):
            await self._first(made, scope, given_again(body, receive), send)
        else:
            await self._repeated(made, scope, receive, send)

    async def _person(self, scope: Scope) -> str | None:
        """Who changes something, by a token; None where it is no change, or nobody is known."""
        scheme, _, token = (_header(scope, b"authorization") or "").partition(" ")
        if scope["method"] not in _CHANGES or not scope["path"].startswith("/v1/") or scheme.lower() != "bearer":
            return None
        caller = await self._find(hashed(token.strip()), address(Request(scope)), "api")
        return None if caller is None else caller.id

    def _made(self, person: str, key: str, scope: Scope, body: bytes) -> Replay:
        asked = b"\n".join((scope["method"].encode(), scope["path"].encode(), scope.get("query_string", b""), body))
        now = self._clock()
        return Replay(
            id=hashlib.sha256(f"{person} {key}".encode()).hexdigest(),
            asked=hmac.new(self._key, asked, hashlib.sha256).hexdigest(),
            created_at=now,
            expires=now + LIFETIME,
        )

    async def _first(self, made: Replay, scope: Scope, receive: Receive, send: Send) -> None:
        once = ONCE.fullmatch(scope["path"]) is not None
        status, media_type, body = 0, "", bytearray()

        async def kept(message: Scope) -> None:
            nonlocal status, media_type
            if message["type"] == "http.response.start":
                status = message["status"]
                media_type = dict(message.get("headers", ())).get(b"content-type", b"").decode("latin-1")
            elif not once or status >= HTTPStatus.BAD_REQUEST:
                body.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, kept)
        if status in _NOTHING_DONE and _UNKNOWN not in body:
            await self._replays.forget(made.id)
        elif status:
            secret = once and status < HTTPStatus.BAD_REQUEST
            await self._replays.answered(made, status, media_type, None if secret else bytes(body))

    async def _repeated(self, made: Replay, scope: Scope, receive: Receive, send: Send) -> None:
        before = await self._replays.get(made.id)
        if before is None or before.asked != made.asked:
            detail = "This Idempotency-Key came with another request before. Use a fresh key for each change."
            answer = problem(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
        elif before.status is None:
            detail = (
                "A request with this Idempotency-Key is under way, or its gateway ended before it was answered."
                " Look whether it was done."
            )
            answer = problem(HTTPStatus.CONFLICT, "idempotency_key_unanswered", detail, retry_after=2)
        elif before.body is None:
            detail = "This was done, and its answer held a secret, which was given that once and is not kept."
            answer = problem(HTTPStatus.CONFLICT, "answer_given_once", detail)
        else:
            await _replay(before, send)
            return
        await answer(scope, receive, send)


async def _replay(kept: Replay, send: Send) -> None:
    headers = [(b"idempotency-replayed", b"true"), (b"content-length", str(len(kept.body or b"")).encode())]
    if kept.media_type:
        headers.append((b"content-type", kept.media_type.encode("latin-1")))
    await send({"type": "http.response.start", "status": kept.status, "headers": headers})
    await send({"type": "http.response.body", "body": kept.body})


def _header(scope: Scope, name: bytes) -> str | None:
    if scope["type"] != "http":
        return None
    found: bytes | None = next((value for each, value in scope["headers"] if each == name), None)
    return None if found is None else found.decode("latin-1")


def describe(app: FastAPI) -> None:
    """Makes the description of `app` tell of the header."""
    plain = app.openapi

    def told() -> dict[str, Any]:
        return _with_header(plain())

    app.openapi = told  # type: ignore[method-assign]  # the framework's own way to add to a description


def _with_header(document: dict[str, Any]) -> dict[str, Any]:
    """With the header on every change of people's interface."""
    header = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Send a change again with the same key, and it is not done again.",
        "schema": {"type": "string", "pattern": PATTERN},
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method.upper() in _CHANGES and path.startswith("/v1/") and path not in {"/v1/setup", "/v1/sessions"}:
                names = {each["name"] for each in operation.setdefault("parameters", [])}
                if header["name"] not in names:
                    operation["parameters"].append(header)
    return document
