"""Second factors: what a person's codes are made of, sealed to a key of the gateway, and the codes for a lost phone."""

from dataclasses import dataclass, field

from libs.store.ports import Store
from libs.store.record import Revised
from libs.store.schema import CollectionName
from libs.store.table import TurningTable


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor(Revised):
    """A person's, by the person's own identifier."""

    sealed: bytes | None = field(default=None, repr=False)  # in use; None until a first code was right
    pending: bytes | None = field(default=None, repr=False)  # shown, and waits for a first right code
    since: int | None = None
    step: int = 0  # the newest period whose code was taken: none of it or before counts again
    recovery: tuple[str, ...] = field(default=(), repr=False)  # SHA-256 of each that was not used

    @property
    def on(self) -> bool:
        """Whether a sign-in needs a code."""
        return self.sealed is not None


class SecondFactors(TurningTable[SecondFactor]):
    """Everybody's."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, CollectionName.FACTORS, SecondFactor)

    async def put(self, before: SecondFactor | None, after: SecondFactor) -> bool:
        """Writes the next state; False when somebody else wrote since `before` was read."""
        return await (self.insert(after) if before is None else self.save(before, after))

    async def remove(self, key: str) -> bool:
        """False when there was none."""
        return await self._collection.delete(key)
