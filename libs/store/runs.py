"""The runs of each agent as the gateways heard them, and the two sides of an identity that is on two machines."""

from dataclasses import dataclass

from libs.domain.forks import Runs, Side
from libs.store.ports import Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsDocument(Revised):
    """One agent, by its id."""

    runs: Runs | None = None
    fork: str | None = None  # the request that tells the scheduler of one: from then on nothing is sent to it
    sides: tuple[Side, ...] = ()  # of the fork, in the order in which they were heard


class RunsDocuments(TurningTable[RunsDocument]):
    """Every agent that tells its run."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.RUNS, RunsDocument)
