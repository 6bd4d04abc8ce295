"""Users: an administrator adds them; each is a name, a role and a hash."""

from collections.abc import Callable
from dataclasses import replace

from libs.store.sessions import Sessions
from libs.store.users import Role, User
from libs.store.users import Users as StoredUsers
from libs.wire.ids import Entropy, Noun, new_id
from libs.wire.requests import Person
from libs.wire.secret import Secret
from services.api.access import Caller, administrator, confirmed, overseer
from services.api.audit.recording import Recorder
from services.api.errors import ConflictError, NotThereError
from services.api.fields import Page, from_cursor, page_of
from services.api.sessions.hashing import Hashing
from services.api.users.schemas import ChangedUserBody, NewUserBody, UserView


class Users:
    """Adds and shows users. `clock` in Unix milliseconds."""

    def __init__(
        self,
        users: StoredUsers,
        sessions: Sessions,
        hashing: Hashing,
        recorder: Recorder,
        *,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self._users, self._sessions, self._hashing, self._recorder = users, sessions, hashing, recorder
        self._clock, self._entropy = clock, entropy

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[UserView]:
        """Newest first.

        Raises:
            NotAllowedError: neither an administrator nor an auditor.
        """
        overseer(caller)
        found = await self._users.page(now=self._clock(), limit=limit + 1, after=from_cursor(cursor, int))
        return page_of(found, limit, view, lambda user: (user.created_at, user.id))

    async def one(self, caller: Caller, key: str) -> UserView:
        """The user.

        Raises:
            NotThereError: not there, or somebody else and the person is neither administrator nor auditor.
        """
        found = await self._users.get(key) if key == caller.id or caller.is_overseer else None
        if found is None:
            raise NotThereError("user")
        return view(found)

    async def add(self, caller: Caller, body: NewUserBody) -> UserView:
        """A new user.

        Raises:
            NotAllowedError: not an administrator.
            ConfirmFirstError: as `access.confirmed` does.
            InvalidError: the password is none that a person may take.
            ConflictError: the name is taken.
        """
        administrator(caller)
        confirmed(caller)
        await self.check(body.password, body.name)
        user = await self.make(body.name, body.password, body.role)
        if await self._users.named(body.name) is not None:
            raise _taken(body.name)
        await self.record(user, caller.to_person())
        if not await self._users.insert(user):
            raise _taken(body.name)
        return view(user)

    async def change(self, caller: Caller, key: str, body: ChangedUserBody) -> UserView:
        """The user with another role, or kept out, or let in again.

        Their sessions end before and after: nothing that was begun with the old role goes on with it. Nobody changes
        themselves, so there is always somebody left who administers.

        Raises:
            NotAllowedError: not an administrator.
            ConfirmFirstError: as `access.confirmed` does.
            NotThereError: there is no such user.
            ConflictError: `not_yourself`; `user_busy`, where somebody else changed them at the same moment.
        """
        administrator(caller)
        confirmed(caller)
        before = await self._users.get(key)
        if before is None:
            raise NotThereError("user")
        if key == caller.id:
            raise ConflictError("Nobody changes their own role. Ask another administrator.", "not_yourself")
        role = before.role if body.role is None else body.role
        disabled = before.disabled if body.disabled is None else body.disabled
        if (role, disabled) == (before.role, before.disabled):
            return view(before)
        after = replace(before, role=role, disabled=disabled, rev=before.rev + 1)
        detail = {"user": key, "name": before.name, "role": role.value, "was": before.role.value, "disabled": disabled}
        await self._recorder.record("user.changed", caller.to_person(), detail=detail)
        await self._sessions.end_all(key)
        if not await self._users.save(before, after):
            raise ConflictError(f"{before.name} was changed at this very moment. Look, and try again.", "user_busy")
        await self._sessions.end_all(key)
        return view(after)

    async def sign_out(self, caller: Caller, key: str) -> None:
        """The person is signed out everywhere, as after their laptop was stolen; their access tokens go on.

        Raises:
            NotAllowedError: not an administrator.
            ConfirmFirstError: as `access.confirmed` does.
            NotThereError: there is no such user.
        """
        administrator(caller)
        confirmed(caller)
        user = await self._users.get(key)
        if user is None:
            raise NotThereError("user")
        await self._recorder.record("user.signed_out", caller.to_person(), detail={"user": key, "name": user.name})
        await self._sessions.end_all(key)

    async def check(self, password: Secret, name: str) -> None:
        """As `Hashing.check`."""
        await self._hashing.check(password, name)

    async def make(self, name: str, password: Secret, role: Role) -> User:
        """A user with a fresh identifier, not yet written."""
        return User(
            id=new_id(Noun.USER, self._entropy),
            name=name,
            role=role,
            password_hash=await self._hashing.make(password),
            created_at=self._clock(),
        )

    async def record(self, user: User, person: Person) -> None:
        """The audit's record of a user that is about to be added."""
        await self._recorder.record(
            "user.added", person, detail={"user": user.id, "name": user.name, "role": user.role.value}
        )


def view(user: User) -> UserView:
    """How a user looks."""
    return UserView(id=user.id, name=user.name, role=user.role, disabled=user.disabled, created_at=user.created_at)


def _taken(name: str) -> ConflictError:
    return ConflictError(f"There is a user named {name} already. Choose another name.", "user_name_taken")
