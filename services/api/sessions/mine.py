"""A person's own sessions and password.

A session is named by a part of a hash of its own: what the store finds it by does not stand in a page. A changed
password ends every session, so whoever had the old one is out, and begins a fresh one for who changed it.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from libs.store.sessions import Session
from libs.store.sessions import Sessions as StoredSessions
from libs.store.users import Users
from libs.wire.secret import Secret
from services.api.access import Caller
from services.api.audit.recording import Recorder
from services.api.errors import ConflictError, NotSignedInError, NotThereError
from services.api.sessions.hashing import Hashing
from services.api.sessions.schemas import SignedInView
from services.api.sessions.service import IDLE, Sessions


class OwnSession(NamedTuple):
    """One sign-in; moments in Unix milliseconds."""

    name: str
    created_at: int
    expires_at: int
    address: str
    via: str
    here: bool  # the one that asks


class Mine:
    """What everybody may do with what is their own. `clock` in Unix milliseconds."""

    def __init__(
        self,
        sessions: StoredSessions,
        users: Users,
        hashing: Hashing,
        signing_in: Sessions,
        *,
        recorder: Recorder,
        clock: Callable[[], int],
    ) -> None:
        self._sessions, self._users, self._hashing, self._signing_in = sessions, users, hashing, signing_in
        self._recorder, self._clock = recorder, clock

    async def sessions(self, caller: Caller) -> list[OwnSession]:
        """Where the person is signed in, newest first."""
        found = await self._sessions.of_user(caller.id, self._clock(), IDLE)
        views = [_view(each, caller) for each in found]
        return sorted(views, key=lambda each: (not each.here, -each.created_at))

    async def end(self, caller: Caller, name: str) -> None:
        """Ends one of the person's sessions.

        Raises:
            NotThereError: it is over, or none of theirs.
        """
        for each in await self._sessions.of_user(caller.id, self._clock()):
            if _name(each) == name:
                await self._recorder.record("session.ended", caller.to_person(), detail={"session": name})
                await self._sessions.end(each.id)
                return
        raise NotThereError("session")

    async def change_password(
        self, caller: Caller, own: Secret, new: Secret, *, code: Secret | None, address: str
    ) -> SignedInView:
        """The person's password is `new`, and this is the one session that they have.

        Raises:
            InvalidError: `own` is not their password, or `new` is none that a person may take.
            SlowDownError: too many wrong ones came from this address.
            ConflictError: somebody else changed the user at the same moment.
        """
        await self._hashing.check(new, caller.name)
        await self._signing_in.confirm(caller, own, code, field="own")
        user = await self._users.get(caller.id)
        if user is None:
            raise NotSignedInError
        made = await self._hashing.make(new)
        await self._recorder.record("password.changed", caller.to_person(), detail={"user": user.id})
        if not await self._users.rehash(user, made):
            raise ConflictError("Your user was changed at this very moment. Nothing was done; try again.", "user_busy")
        await self._sessions.end_all(user.id)
        return await self._signing_in.open(user, address=address, via=caller.via, strong=caller.strong)


def _name(session: Session) -> str:
    return hashlib.sha256(b"session " + session.id.encode()).hexdigest()[:20]


def _view(session: Session, caller: Caller) -> OwnSession:
    here = session.id == caller.session
    return OwnSession(_name(session), session.created_at, session.expires, session.address, session.via, here)
