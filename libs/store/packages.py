"""Packages: what was composed for whom. The bytes are made at download and kept nowhere."""

from dataclasses import dataclass

from libs.store.ports import After, Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table
from libs.wire.requests import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Package(Record):
    """One download."""

    platform: Platform
    created_at: int
    created_by: str  # a user's id
    created_by_name: str
    user_name: str
    server_name: str
    server_port: int
    schedule_interval: int
    token: str
    uses: int
    expires: int  # the token's, in Unix milliseconds
    runtime: str  # SHA-256 of the runtime's zip
    runtime_version: str
    sha256: str = ""
    size: int = 0


class Packages(Table[Package]):
    """Every package."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.PACKAGES, Package)

    async def page(
        self, *, now: int, limit: int, after: After | None = None, created_by: str | None = None
    ) -> list[Package]:
        """Newest first, one person's or all; `after` is the (created_at, id) where the page before ended."""
        equals = {} if created_by is None else {"created_by": created_by}
        return await self._page(now=now, limit=limit, after=after, equals=equals)
