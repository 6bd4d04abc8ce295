"""Broker and store: killed, or silent, at the moment when a service comes to a step; and everything killed at once."""

import time
from collections.abc import Iterator
from functools import partial

from libs.wire.steps import Step
from tests.e2e.faults.at_steps import HEARTBEAT_SECONDS, Moment, reach
from tests.e2e.faults.experiment import Experiment
from tests.e2e.faults.ground import SERVICES, SILENCE_SECONDS, Ground
from tests.e2e.faults.trial import Trial

_MOMENTS = {
    "store": (
        Moment("gateway", Step.GATEWAY_REQUEST_AUDITED),
        Moment("gateway", Step.GATEWAY_REQUEST_WRITTEN),
        Moment("gateway", Step.GATEWAY_JOB_FETCHED),
        Moment("gateway", Step.GATEWAY_RESULT_STORED),
        Moment("gateway", Step.RELAY_CONFIRMED, "task.reported"),
        Moment("scheduler", Step.SCHEDULER_REQUEST_CHECKED),
        Moment("scheduler", Step.SCHEDULER_ACCOUNT_SAVED, "queued"),
        Moment("scheduler", Step.SCHEDULER_OFFER_AUDITED),
        Moment("scheduler", Step.SCHEDULER_JOB_INSERTED),
        Moment("scheduler", Step.SCHEDULER_FETCH_READ),
        Moment("scheduler", Step.SCHEDULER_RESULT_CHECKED),
        Moment("scheduler", Step.SCHEDULER_ACCOUNT_SAVED, "in_sync"),
    ),
    "broker": (
        Moment("gateway", Step.RELAY_FOUND, "task.requested"),
        Moment("gateway", Step.RELAY_FOUND, "agent.fetched"),
        Moment("gateway", Step.RELAY_FOUND, "task.reported"),
        Moment("gateway", Step.RELAY_CONFIRMED, "task.requested"),
        Moment("scheduler", Step.SCHEDULER_ACCOUNT_SAVED, "queued"),
        Moment("scheduler", Step.SCHEDULER_JOB_INSERTED),
        Moment("scheduler", Step.CONSUMER_DONE, "scheduler.requests"),
        Moment("scheduler", Step.CONSUMER_DONE, "scheduler.reports"),
    ),
}
_ALL_AT = (
    Moment("gateway", Step.GATEWAY_REQUEST_WRITTEN),
    Moment("scheduler", Step.SCHEDULER_JOB_INSERTED),
    Moment("gateway", Step.GATEWAY_JOB_FETCHED),
    Moment("gateway", Step.GATEWAY_RESULT_STORED),
    Moment("scheduler", Step.SCHEDULER_ACCOUNT_SAVED, "in_sync"),
)


def experiments() -> Iterator[Experiment]:
    for part, moments in _MOMENTS.items():
        for moment in moments:
            act = partial(_killed, part=part, moment=moment)
            yield Experiment("killed", f"{moment.process} is at {moment.place}", part, act)
        for seconds in (SILENCE_SECONDS, HEARTBEAT_SECONDS):
            yield Experiment("stopped", f"for {seconds:g} s", part, partial(_stopped, part=part, seconds=seconds))
    for moment in _ALL_AT:
        place = f"{moment.process} is at {moment.place}"
        yield Experiment("killed", place, "the whole server", partial(_all_killed, moment=moment))
    yield Experiment("killed", "while a reset is asked for", "bundler", _bundler_killed)


def _killed(ground: Ground, trial: Trial, part: str, moment: Moment) -> None:
    reach(ground, trial, moment, "stop")
    ground.kill(part)
    ground.resume(moment.process)
    time.sleep(1.0)


def _stopped(ground: Ground, trial: Trial, part: str, seconds: float) -> None:
    reach(ground, trial, Moment("scheduler", Step.SCHEDULER_ACCOUNT_SAVED, "queued"), "pause 0.2")
    ground.pause(part)
    time.sleep(seconds)


def _all_killed(ground: Ground, trial: Trial, moment: Moment) -> None:
    reach(ground, trial, moment, "stop")
    for name in (*SERVICES, "broker", "store"):
        ground.kill(name)


def _bundler_killed(ground: Ground, trial: Trial) -> None:
    ground.kill("bundler")
    trial.reset()
