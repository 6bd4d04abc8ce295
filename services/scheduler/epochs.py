"""The epoch: the Unix second at which this vault began, or was last restored. It is the first part of every
generation.

No number may come twice, also not after the store was put back to an earlier copy: then a new epoch begins. An operator
says so with `keyturn-server restored`; where nobody does, the witness notices it, because each generation is counted in
the store and then in the witness before it is given, and each sweep is counted as well: a copy that is older than one
sweep shows less than the witness knows. Before anything else happens in a new epoch, every account is told.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from libs.service.clock import Clock
from libs.service.health import Says, Step
from libs.store.epoch import Epoch, EpochStore
from services.scheduler.recovery import Recovery
from services.scheduler.witness import Witness

log = structlog.get_logger()


@dataclass
class Epochs:
    """The current epoch, and its count."""

    store: EpochStore
    witness: Witness
    recovery: Recovery
    clock: Clock
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _told: Step = field(default_factory=lambda: Step("not looked yet whether the store was put back"))

    def says(self) -> Says:
        """Not ready until it looked, nor while every account is told of a restore: till then pages show the copy."""
        return self._told.says

    async def look(self) -> None:
        """Notices a restore, and tells every account; safe to repeat."""
        async with self._alone:
            await self._look()

    async def current(self) -> int:
        """The epoch, as the store has it."""
        return (await self.store.current_or(self.clock.now() // 1000)).began

    async def next(self) -> int:
        """Counts one more generation, or one more sweep; the epoch that it belongs to."""
        async with self._alone:
            while True:
                given = await self.store.give(await self._look())
                if given is not None:
                    self.witness.keep(given)
                    return given.began

    async def _look(self) -> Epoch:
        now = self.clock.now() // 1000
        epoch, seen = await self.store.current_or(now), self.witness.read()
        if epoch[:2] < seen[:2]:
            epoch = await self.store.begin(max(now, seen.began + 1))
            log.error("the store was put back to an earlier copy; a new epoch begins", epoch=epoch.began)
        if not epoch.settled:
            self._told.waits("telling every account that the store was put back")
            told = await self.recovery.tell_everyone(epoch.began)
            await self.store.settle(epoch)
            log.warning("every account was told of the restore", epoch=epoch.began, accounts=told)
            epoch = epoch._replace(settled=True)
        self._told.done("every account is of this epoch")
        return epoch
