"""Users: an administrator adds them; each is a name, a role and a hash."""

from collections.abc import Callable

from libs.store.users import Role, User
from libs.store.users import Users as StoredUsers
from libs.wire.ids import Entropy, Noun, new_id
from libs.wire.requests import Person
from libs.wire.secret import Secret
from services.api.access import Caller, administrator, owned
from services.api.audit.recording import Recorder
from services.api.errors import ConflictError, NotThereError
from services.api.fields import Page, from_cursor, page_of
from services.api.sessions.hashing import Hashing, check
from services.api.users.schemas import NewUserBody, UserView


class Users:
    """Adds and shows users. `clock` in Unix milliseconds."""

    def __init__(
        self,
        users: StoredUsers,
        hashing: Hashing,
        recorder: Recorder,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self._users, self._hashing, self._recorder = users, hashing, recorder
        self._clock, self._entropy = clock, entropy

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[UserView]:
        """Newest first.

        Raises:
            NotAllowedError: not an administrator.
        """
        administrator(caller)
        found = await self._users.page(now=self._clock(), limit=limit + 1, after=from_cursor(cursor, int))
        return page_of(found, limit, view, lambda user: (user.created_at, user.id))

    async def one(self, caller: Caller, key: str) -> UserView:
        """The user.

        Raises:
            NotThereError: not there, or somebody else and the person is no administrator.
        """
        owned(caller, key, "user")
        found = await self._users.get(key)
        if found is None:
            raise NotThereError("user")
        return view(found)

    async def add(self, caller: Caller, body: NewUserBody) -> UserView:
        """A new user.

        Raises:
            NotAllowedError: not an administrator.
            InvalidError: the password is none that a person may take.
            ConflictError: the name is taken.
        """
        administrator(caller)
        check(body.password)
        user = await self.make(body.name, body.password, body.role)
        if await self._users.named(body.name) is not None:
            raise _taken(body.name)
        await self.record(user, caller.to_person())
        if not await self._users.insert(user):
            raise _taken(body.name)
        return view(user)

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
    return UserView(id=user.id, name=user.name, role=user.role, created_at=user.created_at)


def _taken(name: str) -> ConflictError:
    return ConflictError(f"There is a user named {name} already. Choose another name.", "user_name_taken")
