"""Queues are deleted, with whatever lies in them, while a reset is on its way."""

from collections.abc import Iterator
from functools import partial

from libs.broker.topology import QueueName
from libs.wire.steps import Step
from tests.e2e.faults.at_steps import Moment, reach
from tests.e2e.faults.experiment import Experiment
from tests.e2e.faults.ground import Ground
from tests.e2e.faults.trial import Trial

_OF_A_RESET = (QueueName.REQUESTS, QueueName.FETCHES, QueueName.REPORTS, QueueName.OBSERVATIONS, QueueName.REVEALS)
_BEFORE = Moment("gateway", Step.GATEWAY_REQUEST_WRITTEN)
_DELIVERED = {
    QueueName.REQUESTS: Moment("scheduler", Step.CONSUMER_DELIVERED, QueueName.REQUESTS),
    QueueName.FETCHES: Moment("scheduler", Step.CONSUMER_DELIVERED, QueueName.FETCHES),
    QueueName.REPORTS: Moment("scheduler", Step.CONSUMER_DELIVERED, QueueName.REPORTS),
}


def experiments() -> Iterator[Experiment]:
    for queue in _OF_A_RESET:
        act = partial(_deleted, moment=_BEFORE, queues=(queue,))
        yield Experiment("queue deleted", f"{queue}, before its message", "broker", act)
    for queue, moment in _DELIVERED.items():
        act = partial(_deleted, moment=moment, queues=(queue,))
        yield Experiment("queue deleted", f"{queue}, with its message in hand", "broker", act)
    yield Experiment("queue deleted", "all of them", "broker", partial(_deleted, moment=_BEFORE, queues=_OF_A_RESET))


def _deleted(ground: Ground, trial: Trial, moment: Moment, queues: tuple[QueueName, ...]) -> None:
    reach(ground, trial, moment, "stop")
    for queue in queues:
        ground.site.server.broker.control("delete_queue", queue.value)
    ground.resume(moment.process)
