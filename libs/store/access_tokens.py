"""Access tokens: what a program signs in with in a person's name, kept as its SHA-256 only, until its end."""

from dataclasses import dataclass
from enum import StrEnum

from libs.store.ports import Store
from libs.store.record import Expiry, Record
from libs.store.schema import CollectionName
from libs.store.table import Table

MOST_TOKENS = 100
"""One person's."""


class Scope(StrEnum):
    """What a token is for, of all that its person may do."""

    SEE = "see"
    USE = "use"  # and see
    MANAGE = "manage"  # and use
    REVEAL = "reveal"  # and see
    ADMINISTER = "administer"  # what the role gives beyond machines: people, groups, the audit


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken(Record):
    """One; its `id` is the token's SHA-256 in hexadecimal, so `name_id` is what people see of it."""

    name_id: str
    user: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: int
    expires: Expiry
    last_used_at: int | None = None
    address: str = ""  # from where it was used last


class AccessTokens(Table[AccessToken]):
    """Everybody's. The store takes expired ones away, within about a minute; `live` does not wait for it."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.ACCESS_TOKENS, AccessToken)

    async def live(self, key: str, now: int) -> AccessToken | None:
        """The token with this hash, while it has not expired."""
        found = await self.get(key)
        return found if found is not None and now < found.expires else None

    async def of_user(self, user: str, now: int) -> list[AccessToken]:
        """A person's that have not expired."""
        found = self._all(await self._collection.find(equals={"user": user}, limit=1_000))
        return [each for each in found if now < each.expires]

    async def touch(self, key: str, at: int, address: str) -> None:
        """It was used."""
        await self._collection.update(key, set={"last_used_at": at, "address": address})

    async def end(self, key: str) -> bool:
        """It is good for nothing any more; False when it was over already."""
        return await self._collection.delete(key)
