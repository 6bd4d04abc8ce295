"""People's sessions: a bearer token, kept as its SHA-256 only."""

from dataclasses import dataclass

from libs.store.ports import Store
from libs.store.record import Expiry, Record
from libs.store.schema import CollectionName
from libs.store.table import Table

_EVER = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Record):
    """One sign-in; its `id` is the token's SHA-256 in hexadecimal."""

    user: str
    created_at: int
    last_used_at: int
    expires: Expiry
    address: str = ""
    via: str = ""
    strong: bool = False  # a second factor was shown
    confirmed_at: int = 0  # when its person last showed who they are


class Sessions(Table[Session]):
    """Everybody's sessions. The store takes expired ones away, within about a minute; `live` does not wait for it."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.SESSIONS, Session)

    async def live(self, key: str, now: int, idle: int = _EVER) -> Session | None:
        """The session, while it has not expired and was used within the last `idle` milliseconds."""
        found = await self.get(key)
        return found if found is not None and _lives(found, now, idle) else None

    async def of_user(self, user: str, now: int, idle: int = _EVER) -> list[Session]:
        """A person's sessions that have not expired and were used within the last `idle` milliseconds."""
        found = self._all(await self._collection.find(equals={"user": user}, limit=1_000))
        return [each for each in found if _lives(each, now, idle)]

    async def touch(self, key: str, at: int) -> None:
        """It was used at `at`."""
        await self._collection.update(key, set={"last_used_at": at})

    async def mark(self, key: str, *, strong: bool) -> None:
        """Whether a second factor stands behind it, from now on."""
        await self._collection.update(key, set={"strong": strong})

    async def confirm(self, key: str, at: int) -> None:
        """Its person showed at `at` once more who they are."""
        await self._collection.update(key, set={"confirmed_at": at})

    async def end(self, key: str) -> bool:
        """Signed out; False when it was over already."""
        return await self._collection.delete(key)

    async def end_all(self, user: str) -> int:
        """Ends all of a person's sessions; how many there were."""
        found = await self._collection.find(equals={"user": user}, limit=10_000)
        return sum([await self._collection.delete(document["_id"]) for document in found])


def _lives(session: Session, now: int, idle: int) -> bool:
    return now < session.expires and now - session.last_used_at < idle
