"""Nonces of signed requests: a repeat finds its own there."""

from libs.store.ports import Store
from libs.store.record import to_date
from libs.store.schema import CollectionName


class Nonces:
    """What was used, until it is too old to be accepted anyway."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(CollectionName.NONCES)

    async def claim(self, key: str, nonce: str, expires: int) -> bool:
        """True for the first who uses `nonce` with the key named `key`; kept at least until `expires`."""
        return await self._collection.insert({"_id": f"{key}/{nonce}", "expires": to_date(expires)})
