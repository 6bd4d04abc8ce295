"""Tokens: listed for who made them, revoked by the bundler, which alone writes them."""

from collections.abc import Callable

from libs.store.tokens import EnrolmentToken
from libs.store.tokens import Tokens as StoredTokens
from libs.store.tokens import TokenState as StoredState
from libs.wire.events import RevokeTokenAsked
from libs.wire.requests import RevokeTokenContent, TokenRevoked
from services.api.access import Caller, owned
from services.api.audit.recording import Recorder
from services.api.calls import Calls
from services.api.errors import AwayError, NotThereError
from services.api.fields import Page, Ref, from_cursor, page_of
from services.api.tokens.schemas import TokenState, TokenView

_SECONDS = 10.0


class Tokens:
    """Lists and revokes enrolment tokens. `clock` in Unix milliseconds."""

    def __init__(self, tokens: StoredTokens, calls: Calls, recorder: Recorder, clock: Callable[[], int]) -> None:
        self._tokens, self._calls, self._recorder, self._clock = tokens, calls, recorder, clock

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[TokenView]:
        """Who sees every machine sees all, others those of their packages; newest first."""
        made_by, now = None if caller.sees_all else caller.id, self._clock()
        after = from_cursor(cursor, int)
        found = await self._tokens.page(now=now, limit=limit + 1, after=after, created_by=made_by)
        return page_of(found, limit, lambda token: _view(token, now), lambda token: (token.created_at, token.id))

    async def one(self, caller: Caller, key: str) -> TokenView:
        """The token.

        Raises:
            NotThereError: it is not there, or somebody else's.
        """
        return _view(await self._owned(caller, key), self._clock())

    async def revoke(self, caller: Caller, key: str) -> TokenView:
        """The token, which admits nobody from now on. Agents that enrolled by it stay.

        Raises:
            NotThereError: it is not there, or somebody else's.
            NotAllowedError: this person sees it, and others revoke it.
            AwayError: `bundler_away`.
            DeclinedError: the bundler said no.
        """
        token = await self._owned(caller, key, changes=True)
        detail = {"token": token.id, "package": token.package}
        await self._recorder.record("token.revoke_requested", caller.to_person(), detail=detail)
        await self._calls.ask(
            RevokeTokenAsked,
            RevokeTokenContent(token=key),
            TokenRevoked,
            person=caller.to_person(),
            seconds=_SECONDS,
            away=AwayError("The bundler does not answer, so no token can be revoked now.", "bundler_away"),
        )
        return _view(token, self._clock(), TokenState.REVOKED)

    async def _owned(self, caller: Caller, key: str, *, changes: bool = False) -> EnrolmentToken:
        token = await self._tokens.get(key)
        if token is None:
            raise NotThereError("token")
        owned(caller, token.created_by, "token", changes=changes)
        return token


def _view(token: EnrolmentToken, now: int, state: TokenState | None = None) -> TokenView:
    return TokenView(
        id=token.id,
        package=token.package,
        state=state or _state(token, now),
        user_names=token.user_names,
        uses=token.uses,
        uses_left=token.uses_left,
        host_pattern=token.host_pattern,
        networks=token.networks,
        approval=token.waits,
        for_resource=token.resource,
        created_by=Ref(id=token.created_by, name=token.created_by_name),
        created_at=token.created_at,
        expires_at=token.expires,
    )


def _state(token: EnrolmentToken, now: int) -> TokenState:
    if token.state is StoredState.ACTIVE and now > token.expires:
        return TokenState.EXPIRED
    return TokenState(token.state.value)
