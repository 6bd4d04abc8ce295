"""Enrolments that wait for a person: written by the bundler alone, and kept after the decision."""

from dataclasses import dataclass
from enum import StrEnum

from libs.store.ports import After, Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable
from libs.wire.ids import Noun, derived_id
from libs.wire.observations import HostFacts
from libs.wire.requests import Platform
from libs.wire.sign import Signed


class EnrolmentState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"


def enrolment_id(token: str, key_hash: str) -> str:
    """One for each key that used a token, so that a repeat meets itself."""
    return derived_id(Noun.ENROLMENT, token, key_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentDocument(Revised):
    """What a machine said of itself when it asked, and what a person decided."""

    token: str
    package: str | None
    approver: str  # a user's id; administrators may decide as well
    key_hash: str
    agent: str
    resource: str  # the one that it will be under
    known: bool = False  # the resource was there before, and its agent will be replaced
    resource_name: str  # as the machine asks for it
    owner: str
    owner_name: str
    platform: Platform
    host: HostFacts
    address: str
    created_at: int
    state: EnrolmentState = EnrolmentState.WAITING
    decided_at: int | None = None
    decided_by: str = ""
    decided_by_name: str = ""
    approval: Signed | None = None  # the decision, as the gateway signed it


class Enrolments(TurningTable[EnrolmentDocument]):
    """Every one."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.ENROLMENTS, EnrolmentDocument)

    async def page(
        self,
        *,
        now: int,
        limit: int,
        after: After | None = None,
        approver: str | None = None,
        state: EnrolmentState | None = None,
    ) -> list[EnrolmentDocument]:
        """Newest first, one approver's or all; `after` is the (created_at, id) where the page before ended."""
        given = {"approver": approver, "state": state}
        equals = {field: value for field, value in given.items() if value is not None}
        return await self._page(now=now, limit=limit, after=after, equals=equals)
