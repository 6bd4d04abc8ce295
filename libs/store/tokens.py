"""Enrolment tokens: kept as their SHA-256, consumed by the bundler alone."""

from dataclasses import dataclass, field
from enum import StrEnum

from libs.store.ports import After, Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable


class TokenState(StrEnum):
    ACTIVE = "active"
    SPENT = "spent"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One enrolment by a token. The same key may come again after a lost answer."""

    key_hash: str
    at: int
    agent: str
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentToken(Revised):
    """What it admits, and whom it admitted."""

    sha256: str = field(repr=False)
    user_names: tuple[str, ...]
    uses_left: int
    expires: int  # Unix milliseconds; the document stays, to say "expired" and not "unknown"
    used_by: tuple[Use, ...] = ()
    state: TokenState = TokenState.ACTIVE
    created_at: int
    package: str | None = None


class Tokens(TurningTable[EnrolmentToken]):
    """Every token."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.TOKENS, EnrolmentToken)

    async def hashed(self, sha256: str) -> EnrolmentToken | None:
        """The token with this hash."""
        found = await self._collection.find(equals={"sha256": sha256}, limit=1)
        return self._one(found[0]) if found else None

    async def page(self, *, now: int, limit: int, after: After | None = None) -> list[EnrolmentToken]:
        """Newest first; `after` is the (created_at, id) where the page before ended."""
        return await self._page(now=now, limit=limit, after=after)
