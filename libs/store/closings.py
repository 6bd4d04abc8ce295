"""Which incidents a person has closed: who, when and why. Written by the gateway; the incident itself never changes."""

from dataclasses import dataclass

from libs.store.ports import Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing(Record):
    """One, by the identifier of its incident."""

    at: int
    by: str  # a user's id
    by_name: str
    why: str


class Closings(Table[Closing]):
    """Every closing; the first one of an incident stays."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.CLOSINGS, Closing)
