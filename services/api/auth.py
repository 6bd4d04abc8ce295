"""Bearer tokens: who is calling.

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
from services.api.errors import NotSignedInError

_SCHEME = HTTPBearer(auto_error=False, description="The token of `POST /v1/sessions`.")
_VIAS: dict[str, Via] = {"command": "command", "page": "page"}
_MAX_TOKEN = 128

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


def signed_in(find: Callable[[str, str, Via], Awaitable[Caller | None]]) -> SignedIn:
    """The dependency that demands a good token. `find` takes the token's hash, the address and by what."""

    async def caller(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)]
    ) -> Caller:
        if credentials is None or len(credentials.credentials) > _MAX_TOKEN:
            raise NotSignedInError
        found = await find(hashed(credentials.credentials), address(request), via(request))
        if found is None:
            raise NotSignedInError
        return found

    return caller
