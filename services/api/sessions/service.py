"""Signing in: a name and a password against a token of twelve hours, or of one hour without use."""

from collections.abc import Callable
from dataclasses import replace

from libs.store.groups import Members
from libs.store.sessions import Session
from libs.store.sessions import Sessions as StoredSessions
from libs.store.users import Role, User, Users
from libs.wire.requests import Person
from libs.wire.secret import Secret
from services.api.access import Caller, Via
from services.api.audit.recording import Recorder
from services.api.auth import hashed, new_token
from services.api.errors import GatewayError, InvalidError, NotSignedInError, SlowDownError, WrongSignInError
from services.api.factors.service import CodeNeededError, Factors
from services.api.sessions.hashing import Hashing
from services.api.sessions.schemas import SessionView, SignedInView, SignInBody
from services.api.sessions.slowdown import Slowdown
from services.api.sessions.tickets import Holder, Tickets
from services.api.users.service import view

LIFETIME = 12 * 3_600_000
IDLE = 3_600_000
"""A session that nobody used for so long is over; an open page alone is no use of it."""

CONFIRMED = 5 * 60_000
"""For so long what a person showed of who they are counts for a reveal, and for changes of who may do what."""

_TOUCH = 60_000


class Sessions:
    """Makes, finds and ends sessions. `clock` in Unix milliseconds; `count` is told how each sign-in ended."""

    def __init__(
        self,
        sessions: StoredSessions,
        users: Users,
        members: Members,
        hashing: Hashing,
        factors: Factors,
        *,
        slowdown: Slowdown,
        tickets: Tickets,
        recorder: Recorder,
        clock: Callable[[], int],
        count: Callable[[str], None],
    ) -> None:
        self._sessions, self._users, self._members = sessions, users, members
        self._hashing, self._factors, self._slowdown, self._tickets = hashing, factors, slowdown, tickets
        self._recorder, self._clock, self._count = recorder, clock, count

    async def sign_in(self, body: SignInBody, *, address: str, via: Via) -> SignedInView:
        """A session for who knows the password. An unknown name takes the same time as a wrong password.

        Raises:
            WrongSignInError: the name or the password is wrong; or they are right, and the code is missing or wrong.
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
        return await self._enter(user, body.code, address=address, via=via)

    async def second_step(self, ticket: str, code: Secret, *, address: str, via: Via) -> SignedInView:
        """A session for who has shown the password just now, and has the code.

        Raises:
            WrongSignInError: the code is wrong, or the ticket is none or past.
            SlowDownError: too many codes were wrong.
        """
        holder = self._tickets.read(ticket)
        user = None if holder is None else await self._users.get(holder.user)
        if holder is None or user is None or user.disabled or user.rev != holder.rev:
            raise WrongSignInError
        return await self._enter(user, code, address=address, via=via)

    async def _enter(self, user: User, code: Secret | None, *, address: str, via: Via) -> SignedInView:
        """A session, where the second factor is right or there is none."""
        person = Person(id=user.id, name=user.name, via=via, address=address)
        try:
            strong = await self._factors.check(person, code)
        except CodeNeededError as error:
            self._count("code")
            error.ticket = self._tickets.make(Holder(user.id, user.rev))
            raise
        except GatewayError:
            self._count("wrong_code")
            raise
        self._count("good")
        return await self.open(user, address=address, via=via, strong=strong)

    async def open(self, user: User, *, address: str, via: Via, strong: bool = False) -> SignedInView:
        """A session for `user`, who has proven to be that user; `strong`: by a second factor too."""
        token, now = new_token(), self._clock()
        session = Session(
            id=hashed(token),
            user=user.id,
            created_at=now,
            last_used_at=now,
            expires=now + LIFETIME,
            address=address,
            via=via,
            strong=strong,
            confirmed_at=now,
        )
        await self._recorder.record("session.opened", Person(id=user.id, name=user.name, via=via, address=address))
        await self._sessions.insert(session)
        return SignedInView(token=token, expires_at=session.expires, user=view(user))

    async def find(self, key: str, address: str, via: Via, *, use: bool = True) -> Caller | None:
        """Who has the token with this hash, while it is good; `use`: the person does something with it."""
        now = self._clock()
        session = await self._sessions.live(key, now, IDLE)
        if session is None:
            return None
        if use and now - session.last_used_at >= _TOUCH:
            await self._sessions.touch(key, now)
        user = await self._users.get(session.user)
        if user is None or user.disabled:
            return None
        # An administrator has everything already; for all others each request reads the groups anew.
        groups = () if user.role is Role.ADMINISTRATOR else tuple(g.group for g in await self._members.of_user(user.id))
        return Caller(
            user.id,
            user.name,
            user.role,
            key,
            address,
            via,
            groups,
            strong=session.strong,
            incomplete=self._factors.required and not session.strong,
            # A clock that went back must not make it count for longer.
            confirmed=0 <= now - session.confirmed_at < CONFIRMED,
        )

    async def current(self, caller: Caller) -> SessionView:
        """The caller's own session."""
        session, user = await self._sessions.live(caller.session, self._clock()), await self._users.get(caller.id)
        if session is None or user is None:
            raise NotSignedInError
        return SessionView(user=view(user), created_at=session.created_at, expires_at=session.expires)

    async def confirm(
        self, caller: Caller, password: Secret, code: Secret | None = None, *, field: str = "password"
    ) -> Caller:
        """The caller, who has shown their own password: who asks for more than to look says again who they are.

        Who has a second factor shows that too. It counts for this session for a while.

        Raises:
            InvalidError: it is not; or the code is missing or wrong.
            SlowDownError: too many wrong ones came from this address.
        """
        self._slowdown.check(caller.address, caller.name)
        user = await self._users.get(caller.id)
        if not await self._hashing.fits(None if user is None else user.password_hash, password):
            self._slowdown.failed(caller.address, caller.name)
            await self._recorder.record("session.refused", caller.to_person(), outcome="refused", reason="confirming")
            raise InvalidError(field, "This is not your password. Nothing was done.")
        self._slowdown.succeeded(caller.address, caller.name)
        try:
            await self._factors.check(caller.to_person(), code)
        except WrongSignInError as error:
            raise InvalidError("code", f"{error.sentence} Nothing was done.", error.stable) from error
        await self._sessions.confirm(caller.session, self._clock())
        return replace(caller, confirmed=True)

    async def only_this(self, caller: Caller, *, strong: bool) -> None:
        """Every other session of the caller's ends; `strong`: whether a second factor stands behind this one now."""
        for each in await self._sessions.of_user(caller.id, self._clock()):
            if each.id != caller.session:
                await self._sessions.end(each.id)
        await self._sessions.mark(caller.session, strong=strong)

    async def end_of(self, user: str) -> None:
        """A person is signed out everywhere."""
        await self._sessions.end_all(user)

    async def sign_out(self, caller: Caller) -> None:
        """Ends the caller's session."""
        await self._recorder.record("session.ended", caller.to_person())
        await self._sessions.end(caller.session)
