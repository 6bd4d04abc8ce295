"""Budgets: how often something may be done in an hour, counted so that no race spends more."""

from libs.store.ports import Store
from libs.store.record import to_date
from libs.store.schema import CollectionName


class Budgets:
    """Counters by name and period."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(CollectionName.BUDGETS)

    async def spend(self, name: str, period: int, limit: int, *, until: int) -> bool:
        """Takes one of `limit`; False when all were taken.

        Args:
            name: What is counted, for whom.
            period: When the period began; another one counts from nothing.
            limit: How many the period has, at least 1.
            until: Unix milliseconds after which the counter may go.
        """
        key = f"{name}@{period}"
        while True:
            found = await self._collection.get(key)
            if found is None:
                if await self._collection.insert({"_id": key, "spent": 1, "expires": to_date(until)}):
                    return True
            elif found["spent"] >= limit:
                return False
            elif await self._collection.update(key, guard={"spent": found["spent"]}, inc={"spent": 1}):
                return True

    async def spent(self, name: str, period: int) -> int:
        """How many were taken."""
        found = await self._collection.get(f"{name}@{period}")
        return 0 if found is None else int(found["spent"])
