"""Signed results on the desk: stored by the gateway as they came, believed by the scheduler once checked."""

from dataclasses import dataclass

from libs.store.ports import Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table
from libs.wire.ids import Noun, derived_id
from libs.wire.sign import Signed


def result_id(job: str, signed: Signed) -> str:
    """The identifier of exactly this answer: a repeat meets itself, another answer to the same job does not."""
    return derived_id(Noun.REPORT, job, signed.payload.hex())


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDocument(Record):
    """One answer to a job; its `receipt` is what the rules order by."""

    job: str
    agent: str  # who sent it, by the signature of the HTTP request
    signed: Signed
    created_at: int
    receipt: int
    taken: bool = False
    why: str | None = None  # it did not count


class Results(Table[ResultDocument]):
    """The desk's results."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.RESULTS, ResultDocument)

    async def of_job(self, job: str) -> ResultDocument | None:
        """The job's answer: the oldest that nobody took, else the newest."""
        found = self._all(await self._collection.find(equals={"job": job}, limit=1_000))
        found.sort(key=lambda each: (each.receipt, each.id))
        untaken = (each for each in found if not each.taken)
        return next(untaken, found[-1] if found else None)

    async def mark_taken(self, key: str, why: str | None = None) -> bool:
        """The scheduler is done with it; True for the first to say so."""
        return await self._collection.update(key, guard={"taken": False}, set={"taken": True, "why": why})

    async def waiting(self, now: int, *, patience: int = 0, limit: int = 100) -> list[ResultDocument]:
        """Results received before the last `patience` ms, and not taken, oldest first: their message was lost."""
        return await self._left_lying({"taken": False}, now, patience, limit)
