"""The host: its plug is pulled at each step of the agent, and its disk is put back to an earlier state."""

from collections.abc import Iterator
from functools import partial

from libs.wire.steps import Step
from tests.e2e.faults.at_steps import OF_A_RESET, Moment, reach
from tests.e2e.faults.experiment import Experiment
from tests.e2e.faults.ground import AGENT, Ground
from tests.e2e.faults.trial import Trial

_ROLLED_BACK_AT = (
    Step.AGENT_FETCHED,
    Step.AGENT_INTENT_JOURNALLED,
    Step.AGENT_TOOL_ENDED,
    Step.AGENT_END_JOURNALLED,
    Step.AGENT_RESULT_SIGNED,
    Step.AGENT_ACKNOWLEDGED,
)
HOST = "host"


def experiments() -> Iterator[Experiment]:
    for step in OF_A_RESET[AGENT]:
        yield Experiment("power cut", step.value, HOST, partial(_cut, step=step), step=step)
    for step in _ROLLED_BACK_AT:
        yield Experiment("rolled back", f"{step.value}, to before", HOST, partial(_back, step=step), step=step)
    yield Experiment("rolled back", "a proven reset, to before", HOST, _back_behind_a_proof)
    yield Experiment("rolled back", "two proven resets, to before", HOST, partial(_back_behind_a_proof, resets=2))
    yield Experiment("switched off", "before the reset", HOST, _off_before)


def _cut(ground: Ground, trial: Trial, step: Step) -> None:
    reach(ground, trial, Moment(AGENT, step), "stop")
    ground.site.host.power_cut()


def _back(ground: Ground, trial: Trial, step: Step) -> None:
    host = ground.site.host
    host.snapshot()
    reach(ground, trial, Moment(AGENT, step), "stop")
    trial.rolled_back = step is Step.AGENT_ACKNOWLEDGED
    host.stop()
    host.rollback()


def _back_behind_a_proof(ground: Ground, trial: Trial, resets: int = 1) -> None:
    host = ground.site.host
    host.snapshot()
    for _ in range(resets):
        asked = trial.reset().answered()
        assert asked is not None
        ground.site.ends(asked)
    trial.rolled_back = True
    host.stop()
    host.rollback()


def _off_before(ground: Ground, trial: Trial) -> None:
    ground.site.host.stop()
    trial.reset().answered()
