"""Breadth first through every state of a setting, with the way back from each."""

import time
from array import array
from dataclasses import dataclass, field

from tests.model.checker.bounds import Bounds
from tests.model.checker.liveness import AT_REST, goes_round
from tests.model.checker.ranks import Rank
from tests.model.checker.rules import Rules
from tests.model.checker.world import State, World


@dataclass(frozen=True)
class Setting:
    """A name, how much of each may happen, and the rules."""

    name: str
    bounds: Bounds
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True)
class Violation:
    """What was broken, and a shortest way to it."""

    broken: str
    way: tuple[str, ...]

    def __str__(self) -> str:
        steps = "\n".join(f"  {number:3d}. {step}" for number, step in enumerate(self.way, 1))
        return f"{self.broken}\n{steps}"


@dataclass(frozen=True)
class Outcome:
    """What was seen: how many states, in how many seconds of this processor, and what was broken."""

    states: int
    seconds: float
    violation: Violation | None
    whole: bool = True


def explore(setting: Setting, limit: int | None = None) -> Outcome:
    """Every reachable state, or the first `limit` of them, or all until one breaks an invariant."""
    began = time.process_time()
    walk = _Walk(World(setting.rules, setting.bounds))
    violation = walk.violation(limit)
    whole = violation is None and walk.done == len(walk.states)
    return Outcome(len(walk.states), time.process_time() - began, violation, whole)


class _Walk:
    def __init__(self, world: World) -> None:
        self._world = world
        self.states: list[State] = [world.first]
        self.done = 0
        self._numbers: dict[State, int] = {world.first: 0}
        self._came = array("l", [0])
        self._labels: list[str] = [""]
        self._fair = array("l")

    def violation(self, limit: int | None) -> Violation | None:
        """Walks on until all is seen, or something is broken."""
        world, states, numbers = self._world, self.states, self._numbers
        while self.done < len(states) and (limit is None or len(states) < limit):
            at = self.done
            state = states[at]
            if broken := world.broken(state):
                return Violation(broken, self._way(at))
            best, fair = int(Rank.NOBODY), AT_REST
            for rank, label, after, wrong in world.steps(state):
                if after == state and not wrong:
                    continue
                if wrong:
                    return Violation(wrong, (*self._way(at), label))
                number = numbers.get(after)
                if number is None:
                    number = numbers[after] = len(states)
                    states.append(after)
                    self._came.append(at)
                    self._labels.append(label)
                if rank < best:
                    best, fair = rank, number
            if fair == AT_REST and (broken := world.settled(state)):
                return Violation(broken, self._way(at))
            self._fair.append(fair)
            self.done += 1
        if self.done == len(states) and (round_ := goes_round(self._fair)) is not None:
            return Violation("L1 goes round for ever", self._way(round_))
        return None

    def _way(self, at: int) -> tuple[str, ...]:
        way = []
        while at:
            way.append(self._labels[at])
            at = self._came[at]
        return tuple(reversed(way))
