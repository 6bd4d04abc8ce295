"""Users: who may sign in."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from libs.store.ports import After, Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable


class Role(StrEnum):
    """What a person is here, whatever they own: `services.api.access` says what each may do."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Revised):
    """A person. The name is unique."""

    name: str
    role: Role
    password_hash: str = field(repr=False)  # argon2id, in its own text form
    created_at: int
    disabled: bool = False


class Users(TurningTable[User]):
    """Everybody."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.USERS, User)

    async def named(self, name: str) -> User | None:
        """The user with this name."""
        found = await self._collection.find(equals={"name": name}, limit=1)
        return self._one(found[0]) if found else None

    async def rehash(self, user: User, password_hash: str) -> bool:
        """Another password; False when the user was changed by somebody else meanwhile."""
        return await self.save(user, replace(user, password_hash=password_hash, rev=user.rev + 1))

    async def any(self) -> bool:
        """Whether there is a user at all."""
        return await self._collection.count(between=("created_at", 0, 2**53), limit=1) > 0

    async def page(self, *, now: int, limit: int, after: After | None = None) -> list[User]:
        """Newest first; `after` is the (created_at, id) where the page before ended."""
        return await self._page(now=now, limit=limit, after=after)
