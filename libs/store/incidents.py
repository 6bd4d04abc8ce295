"""Incidents: what somebody should look at soon, because it may be an attack. Written by the bundler, and by the
scheduler where one identity is on two machines; each in a database of its own.
"""

from dataclasses import dataclass
from enum import StrEnum

from libs.store.ports import After, Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table


class IncidentKind(StrEnum):
    TOKEN_USED_BY_ANOTHER_KEY = "token_used_by_another_key"  # noqa: S105 - a kind
    IDENTITY_ON_TWO_MACHINES = "identity_on_two_machines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident(Record):
    """One, told once however often it repeats itself."""

    kind: IncidentKind
    created_at: int
    seen_by: str  # a user's id; administrators see all
    token: str | None
    package: str | None
    key_hash: str  # of the key that came second
    host_name: str
    resource_name: str
    user_name: str
    address: str
    agent: str | None = None
    machines: tuple[str, ...] = ()  # of a fork: the machines in words


class Incidents(Table[Incident]):
    """Every incident."""

    def __init__(self, store: Store, name: CollectionName = CollectionName.INCIDENTS) -> None:
        super().__init__(store, name, Incident)

    async def page(
        self, *, now: int, limit: int, after: After | None = None, seen_by: str | None = None
    ) -> list[Incident]:
        """Newest first, one person's or all; `after` is the (created_at, id) where the page before ended."""
        equals = {} if seen_by is None else {"seen_by": seen_by}
        return await self._page(now=now, limit=limit, after=after, equals=equals)
