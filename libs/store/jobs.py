"""Jobs in the agents' mail: where fetch and withdrawal compete, and the first compare-and-set wins.

    waiting   --fetch (gateway)-->       fetched     the offer: from now on its password may be live
    waiting   --withdraw (scheduler)-->  withdrawn   no agent has it, and none ever will
    fetched   --close-->                 answered    its result is stored: it is not fetched again

A withdrawal before the job was inserted inserts the tombstone itself.
"""

from dataclasses import dataclass
from enum import StrEnum

from libs.store.outbox import entries
from libs.store.ports import Store
from libs.store.record import Record
from libs.store.schema import CollectionName
from libs.store.table import Table
from libs.wire.envelope import Envelope
from libs.wire.sign import Signed


class JobState(StrEnum):
    WAITING = "waiting"
    FETCHED = "fetched"
    WITHDRAWN = "withdrawn"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDocument(Record):
    """One job for one agent."""

    task: str
    account: str
    agent: str
    state: JobState
    signed: Signed | None  # None in a tombstone
    created_at: int
    fetched_at: int | None = None


class Jobs(Table[JobDocument]):
    """Everybody's mail."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.JOBS, JobDocument)

    async def of_agent(self, agent: str, *, limit: int = 64) -> list[JobDocument]:
        """What waits for an agent, and what it fetched and did not answer yet, oldest first."""
        found: list[JobDocument] = []
        for state in (JobState.FETCHED, JobState.WAITING):
            found += self._all(await self._collection.find(equals={"agent": agent, "state": state}, limit=limit))
        return sorted(found, key=lambda job: (job.created_at, job.id))[:limit]

    async def fetch(self, key: str, at: int, *events: Envelope) -> bool:
        """The offer; False when the job does not wait any more."""
        return await self._collection.update(
            key,
            guard={"state": JobState.WAITING},
            set={"state": JobState.FETCHED, "fetched_at": at},
            push={"outbox": entries(events)} if events else {},
        )

    async def withdraw(self, key: str) -> bool:
        """Takes a waiting job back; False when it does not wait any more."""
        return await self._collection.update(key, guard={"state": JobState.WAITING}, set={"state": JobState.WITHDRAWN})

    async def close(self, key: str) -> bool:
        """A result for a fetched job is stored; False when it was closed before, or nobody fetched it."""
        return await self._collection.update(key, guard={"state": JobState.FETCHED}, set={"state": JobState.ANSWERED})

    async def agents_with_mail(self, *, limit: int = 10_000) -> set[str]:
        """The agents for whom a job waits: a gateway's sweep, and its start."""
        found = await self._collection.find(equals={"state": JobState.WAITING}, limit=limit)
        return {str(document["agent"]) for document in found}

    async def in_state(self, state: JobState, now: int, *, patience: int = 0, limit: int = 1_000) -> list[JobDocument]:
        """Jobs in a state that were made before the last `patience` milliseconds, oldest first."""
        return await self._left_lying({"state": state}, now, patience, limit)
