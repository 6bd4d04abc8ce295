"""Access tokens: made by who says again who they are, shown once, used in their name, ended by them.

A token can do what its person can at that moment and its scopes name, never more: role, groups and shares are read with
each request, and a person who is kept out takes their tokens along. It cannot make another token, end sessions or touch
a password or a second factor, whatever its scopes: those are for the person.
"""

from collections.abc import Callable

from libs.store.access_tokens import MOST_TOKENS, AccessToken, Scope
from libs.store.access_tokens import AccessTokens as StoredTokens
from libs.store.groups import Members
from libs.store.users import Role, Users
from libs.wire.ids import Entropy, Noun, new_id
from services.api.access import Caller, Via
from services.api.access_tokens.schemas import AccessTokenView, MadeAccessTokenView, NewAccessTokenBody
from services.api.audit.recording import Recorder
from services.api.auth import hashed, new_token
from services.api.errors import ConflictError, NotThereError
from services.api.sessions.service import Sessions

PREFIX = "kt_"
"""Told apart from a session's token at a glance, and by scanners of repositories."""

_DAY = 86_400_000
_TOUCH = 60_000


class AccessTokens:
    """Makes, finds, lists and ends tokens. `clock` in Unix milliseconds."""

    def __init__(
        self,
        tokens: StoredTokens,
        users: Users,
        members: Members,
        sessions: Sessions,
        *,
        recorder: Recorder,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self._tokens, self._users, self._members, self._sessions = tokens, users, members, sessions
        self._recorder, self._clock, self._entropy = recorder, clock, entropy

    async def find(self, key: str, address: str, via: Via, *, use: bool = True) -> Caller | None:
        """Who has the token with this hash, be it a session's or an access token, while it is good."""
        found = await self._sessions.find(key, address, via, use=use)
        if found is not None:
            return found
        now = self._clock()
        token = await self._tokens.live(key, now)
        user = None if token is None else await self._users.get(token.user)
        if token is None or user is None or user.disabled:
            return None
        if use and (token.last_used_at is None or now - token.last_used_at >= _TOUCH):
            await self._tokens.touch(key, now, address)
        groups = () if user.role is Role.ADMINISTRATOR else tuple(g.group for g in await self._members.of_user(user.id))
        return Caller(user.id, user.name, user.role, key, address, via, groups, scopes=frozenset(token.scopes))

    async def again(self, caller: Caller) -> Caller | None:
        """The caller as they are now, with a role and groups that may have changed; None once it is over.

        A stream that only listens is no use of a session.
        """
        return await self.find(caller.session, caller.address, caller.via, use=False)

    async def mine(self, caller: Caller) -> list[AccessTokenView]:
        """The person's own, newest first."""
        found = await self._tokens.of_user(caller.id, self._clock())
        return [_view(each) for each in sorted(found, key=lambda each: -each.created_at)]

    async def make(self, caller: Caller, body: NewAccessTokenBody) -> MadeAccessTokenView:
        """A fresh token.

        Raises:
            InvalidError: it is not the person's password, or not their code.
            SlowDownError: too many were wrong.
            ConflictError: `too_many_access_tokens`.
        """
        await self._sessions.confirm(caller, body.password, body.code)
        now = self._clock()
        if len(await self._tokens.of_user(caller.id, now)) >= MOST_TOKENS:
            raise ConflictError(f"You have {MOST_TOKENS} access tokens. End one first.", "too_many_access_tokens")
        plain = f"{PREFIX}{new_token()}"
        token = AccessToken(
            id=hashed(plain),
            name_id=new_id(Noun.ACCESS_TOKEN, self._entropy),
            user=caller.id,
            name=body.name,
            scopes=tuple(each for each in Scope if each in body.scopes),
            created_at=now,
            expires=now + body.days * _DAY,
        )
        detail = {
            "access_token": token.name_id,
            "name": token.name,
            "scopes": ", ".join(token.scopes),
            "days": body.days,
        }
        await self._recorder.record("access_token.made", caller.to_person(), detail=detail)
        await self._tokens.insert(token)
        return MadeAccessTokenView(**_view(token).model_dump(), token=plain)

    async def end(self, caller: Caller, key: str) -> None:
        """One of the person's is good for nothing any more, from the next request on.

        Raises:
            NotThereError: it is over, or none of theirs.
        """
        for each in await self._tokens.of_user(caller.id, self._clock()):
            if each.name_id == key:
                detail = {"access_token": key, "name": each.name}
                await self._recorder.record("access_token.ended", caller.to_person(), detail=detail)
                await self._tokens.end(each.id)
                return
        raise NotThereError("access token")


def _view(token: AccessToken) -> AccessTokenView:
    return AccessTokenView(
        id=token.name_id,
        name=token.name,
        scopes=token.scopes,
        created_at=token.created_at,
        expires_at=token.expires,
        last_used_at=token.last_used_at,
        last_address=token.address,
    )
