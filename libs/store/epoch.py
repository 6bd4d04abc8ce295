"""The epoch: the Unix second at which this vault began, or was last restored. It only grows."""

from libs.store.ports import Store
from libs.store.schema import CollectionName

_ONLY = "epoch"


class EpochStore:
    """The one document."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(CollectionName.EPOCH)

    async def current_or(self, first: int) -> int:
        """The epoch; `first`, a Unix second, where none began yet."""
        while True:
            found = await self._collection.get(_ONLY)
            if found is not None:
                return int(found["began"])
            await self._collection.insert({"_id": _ONLY, "began": first})

    async def begin(self, second: int) -> int:
        """Begins a new one at `second`, or just after the last one where that is later; which one it is."""
        while True:
            last = await self.current_or(second - 1)
            fresh = max(second, last + 1)
            if await self._collection.update(_ONLY, guard={"began": last}, set={"began": fresh}):
                return fresh
