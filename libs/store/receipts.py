"""Receipts: which of two things came from a machine first, whatever clocks say.

Each answer and each observation gets a number when the gateway receives it. The numbers of one machine only grow, also
where the server's clock is put back, and where several gateways' clocks differ. They begin at the moment in Unix
milliseconds, so that they grow as well when this document was put back to an earlier copy.
"""

from libs.store.ports import Store
from libs.store.schema import CollectionName


class Receipts:
    """The last number of each resource."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(CollectionName.RECEIPTS)

    async def next(self, resource: str, now: int) -> int:
        """A number above every one given for `resource` before; `now` in Unix milliseconds."""
        while True:
            found = await self._collection.get(resource)
            if found is None:
                if await self._collection.insert({"_id": resource, "last": now}):
                    return now
                continue
            last = int(found["last"])
            fresh = max(now, last + 1)
            if await self._collection.update(resource, guard={"last": last}, set={"last": fresh}):
                return fresh
