"""Bearer tokens: who is calling.

A program sends its token as `Authorization: Bearer`; a browser sends it as a cookie that no script can read, which
counts for pages and for the stream of events only, so that no form of another site can reach the rest.

A token is 256 random bits and is kept as its SHA-256 only, so whoever reads the store can sign in as nobody. Each
request reads its session and its user, so that signing out, or a changed role, holds from the next request on.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api.access import Caller, Via
from services.api.errors import NotSignedInError, SecondFactorFirstError
from services.api.pace import Pace

_SCHEME = HTTPBearer(auto_error=False, description="The token of `POST /v1/sessions`.")
_VIAS: dict[str, Via] = {"command": "command", "page": "page"}
_MAX_TOKEN = 128
COOKIE = "__Host-keyturn"
"""The browser's session; `__Host-` binds it to this very host, over HTTPS, for every path."""

Find = Callable[[str, str, Via], Awaitable[Caller | None]]
"""Who has a token: takes the token's hash, the address and by what."""

SignedIn = Callable[..., Awaitable[Caller]]
"""FastAPI's dependency that gives the caller of a request."""


def new_token() -> str:
    """A fresh token."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def address(request: Request) -> str:
    """Where the request came from, as the socket says; a header could be anybody's."""
    return request.client.host[:64] if request.client else ""


def via(request: Request) -> Via:
    """By what the person asks; a hint for the audit."""
    return _VIAS.get(request.headers.get("x-keyturn-client", ""), "api")


def cookie_of(request: Request) -> str | None:
    """The token in the browser's cookie, where there is one that could be ours."""
    token = request.cookies.get(COOKIE)
    return token if token and len(token) <= _MAX_TOKEN else None


def signed_in(find: Find, pace: Pace, *, cookie: bool = False, incomplete: bool = False) -> SignedIn:
    """The dependency that demands a good token, and a person who does not send more than one may.

    Args:
        find: Who has a token.
        pace: How fast each may ask; what is left stands in `request.state.left`.
        cookie: Whether the browser's own counts where no other is sent.
        incomplete: Whether it serves also who lacks the second factor that this server wants.
    """

    async def caller(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)]
    ) -> Caller:
        by = via(request)
        token = None if credentials is None else credentials.credentials
        if credentials is None and cookie:
            token, by = cookie_of(request), "page"
        if token is None or len(token) > _MAX_TOKEN:
            raise NotSignedInError
        found = await find(hashed(token), address(request), by)
        if found is None:
            raise NotSignedInError
        request.state.left = pace.take(found.id)
        if found.incomplete and not incomplete:
            raise SecondFactorFirstError
        return found

    return caller
