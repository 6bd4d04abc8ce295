"""What set-up and sign-in share: a form that was refused is shown again, and who was let in gets the cookie."""

from typing import Any

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from services.api.errors import GatewayError, InvalidError
from services.api.pages import cookies
from services.api.pages.forms import problems
from services.api.pages.rendering import Pages, go
from services.api.pages.visitors import visitor_of
from services.api.problems import INVALID, said_of
from services.api.sessions.schemas import SignedInView
from services.api.sessions.service import Sessions


class Entry:
    """The way into a session."""

    def __init__(self, pages: Pages, sessions: Sessions) -> None:
        self._pages, self._sessions = pages, sessions

    def refused(self, template: str, error: ValidationError | GatewayError, **values: Any) -> Response:
        """The form again, with what is wrong; never with a password or a code."""
        if isinstance(error, ValidationError | InvalidError):
            return self._pages.plain(template, status=INVALID, wrong=problems(error), notice=None, **values)
        said = said_of(error)
        return self._pages.plain(template, status=said.status, wrong={}, notice=said.detail, **values)

    async def let_in(self, request: Request, signed: SignedInView, path: str) -> Response:
        """The browser is signed in and goes to `path`; a session that it had before ends."""
        before = await visitor_of(self._sessions.find, request)
        if before is not None:
            await self._sessions.sign_out(before.caller)
        answer = go(path)
        cookies.sign_in(answer, signed.token, signed.expires_at, self._pages.now())
        return answer
