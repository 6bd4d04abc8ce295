"""The epoch: the Unix second at which this vault began, or was last restored. It only grows.

Beside it stands a count of the generations that were given in it, and of the scheduler's sweeps: whoever remembers a
higher number than the document shows knows that the store was put back to an earlier copy.
"""

from typing import NamedTuple

from libs.store.ports import Store
from libs.store.schema import CollectionName

_ONLY = "epoch"


class Epoch(NamedTuple):
    """The document. Epochs are ordered by when they began, and within one by the count."""

    began: int
    given: int = 0
    settled: bool = True  # False from a restore until every account was told of it


class EpochStore:
    """The one document."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(CollectionName.EPOCH)

    async def current_or(self, first: int) -> Epoch:
        """The epoch; a new one from `first`, a Unix second, where none began yet."""
        while True:
            found = await self._collection.get(_ONLY)
            if found is not None:
                return Epoch(int(found["began"]), int(found["given"]), bool(found["settled"]))
            await self._collection.insert({"_id": _ONLY, "began": first, "given": 0, "settled": True})

    async def began(self) -> int:
        """When the current epoch began, for who may only read; 0 where none did."""
        found = await self._collection.get(_ONLY)
        return 0 if found is None else int(found["began"])

    async def give(self, seen: Epoch) -> Epoch | None:
        """Counts one more; None when the document is not as it was seen."""
        more = seen._replace(given=seen.given + 1)
        guard = {"began": seen.began, "given": seen.given}
        return more if await self._collection.update(_ONLY, guard=guard, set={"given": more.given}) else None

    async def begin(self, second: int) -> Epoch:
        """Begins a new one at `second`, or just after the last one where that is later; which one it is."""
        while True:
            last = await self.current_or(second - 1)
            fresh = Epoch(max(second, last.began + 1), 0, settled=False)
            if await self._collection.update(_ONLY, guard={"began": last.began}, set=fresh._asdict()):
                return fresh

    async def settle(self, epoch: Epoch) -> bool:
        """Every account was told of the restore that began this epoch."""
        return await self._collection.update(_ONLY, guard={"began": epoch.began}, set={"settled": True})
