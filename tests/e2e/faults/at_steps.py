"""kill -9, SIGSTOP and an unforeseen error, in each process at each step that the code names."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from libs.wire.steps import Step
from tests.e2e.faults.experiment import Experiment, NotReachedError
from tests.e2e.faults.ground import AGENT, SILENCE_SECONDS, Ground
from tests.e2e.faults.invariants import truth
from tests.e2e.faults.trial import Trial

HEARTBEAT_SECONDS = 13.0
"""Longer than the broker waits for a sign of life: it gives the messages to somebody else then."""

LAST_WORDS_SECONDS = 1.5


@dataclass(frozen=True)
class Moment:
    """A step of one process in one flow. `slow` keeps the agent at its job long enough for the step to come first."""

    process: str
    step: Step
    what: str = ""
    flow: str = "reset"
    slow: bool = False

    @property
    def point(self) -> str:
        return f"{self.step}:{self.what}" if self.what else self.step.value

    @property
    def place(self) -> str:
        return self.point if self.flow == "reset" else f"{self.point}, verify"


def _messages() -> Iterator[Moment]:
    for step in (Step.RELAY_FOUND, Step.RELAY_CONFIRMED, Step.RELAY_TAKEN_AWAY):
        for what in ("task.requested", "agent.fetched", "task.reported"):
            yield Moment("gateway", step, what)
    for step in (Step.CONSUMER_DELIVERED, Step.CONSUMER_DONE, Step.CONSUMER_ACKNOWLEDGED):
        for queue in ("scheduler.requests", "scheduler.fetches", "scheduler.reports"):
            yield Moment("scheduler", step, queue)


def _turns() -> Iterator[Moment]:
    for step in (Step.SCHEDULER_ACCOUNT_SAVED, Step.SCHEDULER_PROJECTED, Step.SCHEDULER_CHANGE_TOLD):
        yield Moment("scheduler", step, "queued")
        yield Moment("scheduler", step, "offered", slow=True)
        yield Moment("scheduler", step, "in_sync")


OF_A_RESET = {
    "gateway": (
        Step.GATEWAY_REQUEST_AUDITED,
        Step.GATEWAY_REQUEST_WRITTEN,
        Step.GATEWAY_JOB_FETCHED,
        Step.GATEWAY_RESULT_STORED,
        Step.GATEWAY_JOB_CLOSED,
        Step.GATEWAY_OBSERVATION_STORED,
    ),
    "scheduler": (
        Step.SCHEDULER_REQUEST_CHECKED,
        Step.SCHEDULER_OFFER_AUDITED,
        Step.SCHEDULER_JOB_INSERTED,
        Step.SCHEDULER_AGENT_WOKEN,
        Step.SCHEDULER_REQUEST_TAKEN,
        Step.SCHEDULER_FETCH_READ,
        Step.SCHEDULER_RESULT_CHECKED,
        Step.SCHEDULER_END_SHOWN,
        Step.SCHEDULER_RESULT_TAKEN,
    ),
    AGENT: (
        Step.AGENT_FETCHED,
        Step.AGENT_INTENT_JOURNALLED,
        Step.AGENT_TOOL_STARTED,
        Step.AGENT_TOOL_JOURNALLED,
        Step.AGENT_TOOL_FED,
        Step.AGENT_TOOL_ENDED,
        Step.AGENT_COMPARED,
        Step.AGENT_END_JOURNALLED,
        Step.AGENT_RESULT_SIGNED,
        Step.AGENT_ACKNOWLEDGED,
        Step.AGENT_OBSERVED,
    ),
}

_OF_A_VERIFY = {
    "gateway": (Step.GATEWAY_REQUEST_WRITTEN, Step.GATEWAY_JOB_FETCHED, Step.GATEWAY_RESULT_STORED),
    "scheduler": (
        Step.SCHEDULER_ACCOUNT_SAVED,
        Step.SCHEDULER_OFFER_AUDITED,
        Step.SCHEDULER_JOB_INSERTED,
        Step.SCHEDULER_RESULT_CHECKED,
        Step.SCHEDULER_END_SHOWN,
        Step.SCHEDULER_RESULT_TAKEN,
    ),
    AGENT: (
        Step.AGENT_FETCHED,
        Step.AGENT_FENCE_JOURNALLED,
        Step.AGENT_COMPARED,
        Step.AGENT_RESULT_SIGNED,
        Step.AGENT_ACKNOWLEDGED,
    ),
}


def moments() -> list[Moment]:
    """Every step of a reset, in the process that takes it."""
    single = (Moment(process, step) for process, steps in OF_A_RESET.items() for step in steps)
    return [*single, *_messages(), *_turns()]


def moments_of_a_verify() -> list[Moment]:
    return [Moment(process, step, flow="verify") for process, steps in _OF_A_VERIFY.items() for step in steps]


def experiments() -> Iterator[Experiment]:
    for moment in moments():
        yield _experiment("killed", moment, _killed)
        yield _experiment("stopped", moment, _stopped)
        yield _experiment("failed", moment, _failed)
    for moment in moments_of_a_verify():
        yield _experiment("killed", moment, _killed)
        yield _experiment("stopped", moment, _stopped)
    for moment in (
        Moment("scheduler", Step.CONSUMER_DELIVERED, "scheduler.requests"),
        Moment("scheduler", Step.SCHEDULER_JOB_INSERTED),
        Moment("scheduler", Step.CONSUMER_DONE, "scheduler.reports"),
        Moment("gateway", Step.RELAY_CONFIRMED, "task.requested"),
        Moment("gateway", Step.GATEWAY_JOB_FETCHED),
        Moment(AGENT, Step.AGENT_TOOL_FED),
    ):
        yield _experiment("stopped past every heartbeat", moment, _stopped_long)


def _experiment(fault: str, moment: Moment, act: Callable[..., None]) -> Experiment:
    return Experiment(fault, moment.place, moment.process, partial(act, moment=moment), step=moment.step)


def reach(ground: Ground, trial: Trial, moment: Moment, action: str) -> None:
    """Asks, and returns when the armed step was reached."""
    ground.arm(moment.process, moment.point, action)
    if moment.slow:
        ground.arm(AGENT, Step.AGENT_FETCHED, "pause 1.5")
    trial.ask(moment.flow)
    if not ground.reached(moment.process):
        raise NotReachedError(f"{moment.process} did not come to {moment.point}")


def _killed(ground: Ground, trial: Trial, moment: Moment) -> None:
    reach(ground, trial, moment, "kill")
    if moment.process == AGENT:
        truth(ground, trial)
        return
    ends = time.monotonic() + 10
    while ground.part(moment.process).alive:
        if time.monotonic() > ends:
            raise NotReachedError(f"{moment.process} did not die")
        time.sleep(0.02)


def _stopped(ground: Ground, trial: Trial, moment: Moment, seconds: float = SILENCE_SECONDS) -> None:
    reach(ground, trial, moment, "stop")
    time.sleep(seconds)
    if moment.process == AGENT:
        truth(ground, trial)


def _stopped_long(ground: Ground, trial: Trial, moment: Moment) -> None:
    _stopped(ground, trial, moment, HEARTBEAT_SECONDS)


def _failed(ground: Ground, trial: Trial, moment: Moment) -> None:
    """The error ends the process where a part of it cannot go on; it has a moment to do so."""
    reach(ground, trial, moment, "fail")
    ends = time.monotonic() + LAST_WORDS_SECONDS
    while moment.process != AGENT and ground.part(moment.process).alive and time.monotonic() < ends:
        time.sleep(0.05)
    truth(ground, trial)
