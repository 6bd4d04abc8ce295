"""Running experiments one after another on one ground."""

import time
import traceback
from dataclasses import dataclass, field

from tests.e2e.faults.accounts import Accounts
from tests.e2e.faults.experiment import Experiment, NotReachedError
from tests.e2e.faults.ground import Ground
from tests.e2e.faults.invariants import Verdict, judge


@dataclass
class Outcome:
    """What one experiment showed. With an `accident`, whose first line says what it was, it showed nothing."""

    experiment: Experiment
    verdict: Verdict = field(default_factory=Verdict)
    accident: str | None = None
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return self.accident is None and self.verdict.good

    @property
    def sentence(self) -> str:
        """What is wrong, in words."""
        verdict = self.verdict
        parts = [
            *(f"LOST {each}" for each in verdict.lost),
            *(f"LIE {each}" for each in verdict.lies),
            *(f"STUCK {each}" for each in verdict.stuck),
        ]
        if self.accident is not None:
            parts.append(f"NO EXPERIMENT {self.accident.splitlines()[0]}")
        return (
            "; ".join(parts)
            or f"{verdict.status}, {', '.join(verdict.tasks) or 'nothing asked'}, healed in {verdict.seconds:.1f} s"
        )


class Runs:
    """Experiments one after another on one ground."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._accounts = Accounts(ground)

    def run(self, experiment: Experiment) -> Outcome:
        """Its outcome; an accident is told in it and never raised, and the ground is healed in any case."""
        outcome = Outcome(experiment)
        began = time.monotonic()
        try:
            trial = self._accounts.next()
            try:
                experiment.run(self._ground, trial)
            except NotReachedError as error:
                outcome.accident = str(error)
            healing = time.monotonic()
            self._ground.heal()
            outcome.verdict = judge(self._ground, trial, healing)
        except Exception as error:  # noqa: BLE001 - one experiment's accident must not end the run; it is told in full
            outcome.accident = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
            self._ground.heal()
        outcome.seconds = time.monotonic() - began
        return outcome
