"""When a scheduler calls itself ready: after it looked whether the store was put back, and everybody was told."""

from dataclasses import dataclass, field

from libs.store.epoch import EpochStore
from services.scheduler.epochs import Epochs
from services.scheduler.recovery import Recovery
from services.scheduler.witness import MemoryWitness
from tests.unit.scheduler.world import World


@dataclass(frozen=True)
class Watched(Recovery):
    """Writes down what was said of readiness when everybody began to be told."""

    said: list[bool] = field(default_factory=list)
    epochs: list[Epochs] = field(default_factory=list)

    async def tell_everyone(self, epoch: int) -> int:
        self.said.append(self.epochs[0].says().ready)
        return await super().tell_everyone(epoch)


async def test_it_is_ready_once_it_looked(here: World) -> None:
    """Whoever waited for readiness saw "in sync" with the password of the copy."""
    known = here.graph.epochs.recovery
    told = Watched(known.resources, known.accounts, known.ledger, known.clock)
    epochs = Epochs(EpochStore(here.store), MemoryWitness(), told, here.clock)
    told.epochs.append(epochs)
    assert not epochs.says().ready
    await epochs.look()
    assert (epochs.says().ready, told.said) == (True, [])


async def test_it_is_not_ready_while_everybody_is_told_of_a_restore_that_came_while_it_ran(here: World) -> None:
    known = here.graph.epochs.recovery
    told = Watched(known.resources, known.accounts, known.ledger, known.clock)
    epochs = Epochs(EpochStore(here.store), MemoryWitness(), told, here.clock)
    told.epochs.append(epochs)
    await epochs.look()
    await EpochStore(here.admin).begin(here.clock.now() // 1000 + 1)
    await epochs.next()
    assert (epochs.says().ready, told.said) == (True, [False])
