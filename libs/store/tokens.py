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
    returned: bool = False  # a person denied it, and the token may be used once more, by another key


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentToken(Revised):
    """What it admits, and whom it admitted."""

    sha256: str = field(repr=False)
    user_names: tuple[str, ...]
    uses: int = 1
    uses_left: int
    expires: int  # Unix milliseconds; the document stays, to say "expired" and not "unknown"
    used_by: tuple[Use, ...] = ()
    state: TokenState = TokenState.ACTIVE
    created_at: int
    created_by: str = ""  # a user's id
    created_by_name: str = ""
    package: str | None = None
    host_pattern: str | None = None
    networks: tuple[str, ...] = ()
    approval: bool = False
    resource: str | None = None  # the known one that it is for; none: each enrolment makes a new one

    @property
    def waits(self) -> bool:
        """Whether an enrolment by it waits for a person's approval."""
        return self.approval or self.resource is not None


class Tokens(TurningTable[EnrolmentToken]):
    """Every token."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.TOKENS, EnrolmentToken)

    async def hashed(self, sha256: str) -> EnrolmentToken | None:
        """The token with this hash."""
        found = await self._collection.find(equals={"sha256": sha256}, limit=1)
        return self._one(found[0]) if found else None

    async def page(
        self, *, now: int, limit: int, after: After | None = None, created_by: str | None = None
    ) -> list[EnrolmentToken]:
        """Newest first, one person's or all; `after` is the (created_at, id) where the page before ended."""
        equals = {} if created_by is None else {"created_by": created_by}
        return await self._page(now=now, limit=limit, after=after, equals=equals)
