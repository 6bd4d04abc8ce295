"""What an experiment is."""

from collections.abc import Callable
from dataclasses import dataclass

from libs.wire.steps import Step
from tests.e2e.faults.ground import Ground
from tests.e2e.faults.trial import Trial


class NotReachedError(Exception):
    """The moment for the fault never came, so the experiment says nothing."""


@dataclass(frozen=True)
class Experiment:
    """One fault, at one place, to one process.

    `fault` is its kind in the table; `place` a step of the code, or the moment in words. `run` asks for something in
    the trial and breaks the ground meanwhile; healing is the runner's.
    """

    fault: str
    place: str
    process: str
    run: Callable[[Ground, Trial], None]
    step: Step | None = None
    """The step named in the code that it happens at."""

    @property
    def name(self) -> str:
        return f"{self.fault} | {self.process} | {self.place}"
