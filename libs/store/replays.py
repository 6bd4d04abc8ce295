"""What was answered to a change that came with an idempotency key, for a day."""

from dataclasses import dataclass, field, replace

from libs.store.ports import Store
from libs.store.record import Expiry, Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(Revised):
    """One request, by an identifier that is made of its person and its key."""

    asked: str  # a keyed hash of method, path and body, which may hold a password
    created_at: int
    expires: Expiry
    status: int | None = None  # None: no answer is known yet
    media_type: str = ""
    body: bytes | None = field(default=None, repr=False)  # None: the answer had a secret, and is not kept


class Replays(TurningTable[Replay]):
    """Every answer that may be asked for again."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.REPLAYS, Replay)

    async def answered(self, before: Replay, status: int, media_type: str, body: bytes | None) -> None:
        """Keeps the answer."""
        after = replace(before, status=status, media_type=media_type, body=body, rev=before.rev + 1)
        await self.save(before, after)

    async def forget(self, key: str) -> None:
        """Nothing was done, so the same key may be tried again."""
        await self._collection.delete(key)
