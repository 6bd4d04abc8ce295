"""The held poll, `GET /agent/v1/poll?wait=SECONDS`, in plain ASGI before the framework.

It is the one request that every agent always has open, so it is cheap: its token is checked by an HMAC, the mailroom is
memory, and nothing is written. It says "mail" or "none" and nothing else; everything that matters is signed. A hold
ends after the seconds that the agent asked for (50 at most), when mail comes, when the agent is revoked, or when the
gateway stops.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from libs.wire.agent_api import MAX_HOLD_SECONDS
from services.api.agent_door.tokens import SessionTokens
from services.api.mailroom import Mailroom, end
from services.api.problems import problem

PATH = "/agent/v1/poll"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_WAIT = re.compile(rb"(?:^|&)wait=([0-9]{1,3})(?:&|$)")
_ANSWERS = {True: b'{"mail":true}', False: b'{"mail":false}'}
_HEADERS = {
    mail: [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
    ]
    for mail, body in _ANSWERS.items()
}


class Poll:
    """The application for this path. `clock` in Unix milliseconds; `count` hears each answer, `heard` each agent."""

    def __init__(
        self,
        tokens: SessionTokens,
        mailroom: Mailroom,
        clock: Callable[[], int],
        count: Callable[[str], None],
        heard: Callable[[str], None],
    ) -> None:
        self._tokens, self._mailroom, self._clock, self._count, self._heard = tokens, mailroom, clock, count, heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            refused = problem(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "GET is needed.")
            await refused(scope, receive, send)
            return
        token = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                token = value
                break
        agent = self._whose(token)
        if agent is None:
            await self._refuse(scope, receive, send)
            return
        self._heard(agent)
        found = _WAIT.search(scope["query_string"])
        seconds = min(int(found[1]) if found else 0, MAX_HOLD_SECONDS)
        mail = await self._held(agent, seconds, receive)
        if mail is None:
            self._count("gone")
            return
        if not mail and self._whose(token) is None:
            # It was held while its agent was revoked, or while another machine opened a session of this agent.
            await self._refuse(scope, receive, send)
            return
        self._count("mail" if mail else "none")
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": _HEADERS[mail]})
        await send({"type": "http.response.body", "body": _ANSWERS[mail]})

    def _whose(self, token: bytes) -> str | None:
        """The agent that may poll by this header's value."""
        if token[:7] != b"Bearer ":
            return None
        agent = self._tokens.agent(token[7:].decode("latin-1"), self._clock())
        return None if agent is None or self._mailroom.is_shut(agent) else agent

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._count("refused")
        detail = "This session is over or is none of ours: open a new one."
        await problem(HTTPStatus.UNAUTHORIZED, "session_ended", detail)(scope, receive, send)

    async def _held(self, agent: str, seconds: int, receive: Receive) -> bool | None:
        """Whether there is mail; None when the agent hung up meanwhile."""
        if self._mailroom.take(agent):
            return True
        if not seconds:
            return False
        waiter = self._mailroom.hold(agent, seconds)
        gone = asyncio.ensure_future(_gone(receive, waiter))
        heard = False
        try:
            mail = await waiter
            heard = not gone.done()
            return mail if heard else None
        finally:
            gone.cancel()
            self._mailroom.release(agent, waiter, heard=heard)


async def _gone(receive: Receive, waiter: "asyncio.Future[bool]") -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    end(waiter)
