"""The epoch: the Unix second at which this vault began, or was last restored. It is the first part of every
generation.
"""

from dataclasses import dataclass

from libs.service.clock import Clock
from libs.store.epoch import EpochStore


@dataclass
class Epochs:
    """The current epoch, read at start."""

    store: EpochStore
    clock: Clock
    current: int = 0

    async def begin(self) -> None:
        """Reads the epoch; a new vault begins its first one."""
        self.current = await self.store.current_or(self.clock.now() // 1000)
