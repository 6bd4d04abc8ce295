"""How the world between the processes is at the moment: how slow, and how many messages it loses, doubles or delays."""

from dataclasses import dataclass

from libs.broker.memory.faults import Fate
from libs.wire.envelope import Envelope
from tests.model.sim.chance import Chance
from tests.model.sim.trace import Trace

_FAST, _SLOW, _VERY_SLOW = 0.003, 0.05, 1.5


@dataclass
class Weather:
    """Chances from 0 to 1, fair at the beginning."""

    trace: Trace
    chance: Chance
    slow: float = 0.0
    drop: float = 0.0
    double: float = 0.0
    overtake: float = 0.0
    lost_request: float = 0.0
    lost_answer: float = 0.0
    repeated: float = 0.0
    portal: float = 0.0

    def clear(self) -> None:
        """Fair again."""
        self.slow = self.drop = self.double = self.overtake = 0.0
        self.lost_request = self.lost_answer = self.repeated = self.portal = 0.0

    def delay(self) -> float:
        """Seconds that something takes on its way: mostly next to nothing, in bad weather sometimes very long."""
        drawn = self.chance.random()
        if drawn >= self.slow:
            return self.chance.random() * _FAST
        return self.chance.random() * (_VERY_SLOW if drawn < self.slow / 10 else _SLOW)

    def fate(self, envelope: Envelope) -> Fate:
        """What becomes of a message that the broker took."""
        drawn = self.chance.random()
        for limit, what in (
            (self.drop, Fate.DROP),
            (self.drop + self.double, Fate.DOUBLE),
            (self.drop + self.double + self.overtake, Fate.OVERTAKE),
        ):
            if drawn < limit:
                self.trace.fault(f"message_{what.value}", envelope.type)
                return what
        return Fate.DELIVER
