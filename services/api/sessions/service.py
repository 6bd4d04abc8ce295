"""Signing in: a name and a password against a token of twelve hours."""

from collections.abc import Callable

from libs.store.groups import Members
from libs.store.sessions import Session
from libs.store.sessions import Sessions as StoredSessions
from libs.store.users import Role, User, Users
from libs.wire.requests import Person
from libs.wire.secret import Secret
from services.api.access import Caller, Via
from services.api.audit.recording import Recorder
from services.api.auth import hashed, new_token
from services.api.errors import InvalidError, NotSignedInError, SlowDownError, WrongSignInError
from services.api.sessions.hashing import Hashing
from services.api.sessions.schemas import SessionView, SignedInView, SignInBody
from services.api.sessions.slowdown import Slowdown
from services.api.users.service import view

LIFETIME = 12 * 3_600_000


class Sessions:
    """Makes, finds and ends sessions. `clock` in Unix milliseconds; `count` is told how each sign-in ended."""

    def __init__(
        self,
        sessions: StoredSessions,
        users: Users,
        members: Members,
        hashing: Hashing,
        slowdown: Slowdown,
        *,
        recorder: Recorder,
        clock: Callable[[], int],
        count: Callable[[str], None],
    ) -> None:
        self._sessions, self._users, self._members = sessions, users, members
        self._hashing, self._slowdown = hashing, slowdown
        self._recorder, self._clock, self._count = recorder, clock, count

    async def sign_in(self, body: SignInBody, *, address: str, via: Via) -> SignedInView:
        """A session for who knows the password. An unknown name takes the same time as a wrong password.

        Raises:
            WrongSignInError: the name or the password is wrong.
            SlowDownError: too many wrong ones came from this address.
        """
        try:
            self._slowdown.check(address, body.name)
        except SlowDownError:
            self._count("slowed")
            raise
        user = await self._users.named(body.name)
        fits = await self._hashing.fits(None if user is None else user.password_hash, body.password)
        if user is None or not fits or user.disabled:
            self._slowdown.failed(address, body.name)
            self._count("wrong")
            person = None if user is None else Person(id=user.id, name=user.name, via=via, address=address)
            # The name that was typed is not recorded: people type their password there.
            await self._recorder.record("session.refused", person, outcome="refused", detail={"address": address})
            raise WrongSignInError
        self._slowdown.succeeded(address, body.name)
        self._count("good")
        return await self.open(user, address=address, via=via)

    async def open(self, user: User, *, address: str, via: Via) -> SignedInView:
        """A session for `user`, who has proven to be that user."""
        token, now = new_token(), self._clock()
        session = Session(
            id=hashed(token),
            user=user.id,
            created_at=now,
            last_used_at=now,
            expires=now + LIFETIME,
            address=address,
            via=via,
        )
        await self._recorder.record("session.opened", Person(id=user.id, name=user.name, via=via, address=address))
        await self._sessions.insert(session)
        return SignedInView(token=token, expires_at=session.expires, user=view(user))

    async def find(self, key: str, address: str, via: Via) -> Caller | None:
        """Who has the token with this hash, while it is good."""
        session = await self._sessions.live(key, self._clock())
        if session is None:
            return None
        user = await self._users.get(session.user)
        if user is None or user.disabled:
            return None
        # An administrator has everything already; for all others each request reads the groups anew.
        groups = () if user.role is Role.ADMINISTRATOR else tuple(g.group for g in await self._members.of_user(user.id))
        return Caller(user.id, user.name, user.role, key, address, via, groups)

    async def again(self, caller: Caller) -> Caller | None:
        """The caller as they are now, with a role and groups that may have changed; None once signed out."""
        return await self.find(caller.session, caller.address, caller.via)

    async def current(self, caller: Caller) -> SessionView:
        """The caller's own session."""
        session, user = await self._sessions.live(caller.session, self._clock()), await self._users.get(caller.id)
        if session is None or user is None:
            raise NotSignedInError
        return SessionView(user=view(user), created_at=session.created_at, expires_at=session.expires)

    async def confirm(self, caller: Caller, password: Secret, *, field: str = "password") -> None:
        """Returns where it is the caller's own password: who asks for more than to look says again who they are.

        Raises:
            InvalidError: it is not.
            SlowDownError: too many wrong ones came from this address.
        """
        self._slowdown.check(caller.address, caller.name)
        user = await self._users.get(caller.id)
        if not await self._hashing.fits(None if user is None else user.password_hash, password):
            self._slowdown.failed(caller.address, caller.name)
            await self._recorder.record("session.refused", caller.to_person(), outcome="refused", reason="confirming")
            raise InvalidError(field, "This is not your password. Nothing was done.")
        self._slowdown.succeeded(caller.address, caller.name)

    async def sign_out(self, caller: Caller) -> None:
        """Ends the caller's session."""
        await self._recorder.record("session.ended", caller.to_person())
        await self._sessions.end(caller.session)
