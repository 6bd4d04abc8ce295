"""The store is put back to a copy of its folder that was taken before a reset."""

import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from libs.wire.steps import Step
from tests.e2e.faults.at_steps import Moment, reach
from tests.e2e.faults.experiment import Experiment
from tests.e2e.faults.ground import AGENT, SERVICES, Ground
from tests.e2e.faults.trial import Trial

FAULT = "store restored"
_AT = (
    Moment("scheduler", Step.SCHEDULER_JOB_INSERTED),
    Moment(AGENT, Step.AGENT_INTENT_JOURNALLED),
    Moment(AGENT, Step.AGENT_TOOL_ENDED),
    Moment("gateway", Step.GATEWAY_RESULT_STORED),
)


def experiments() -> Iterator[Experiment]:
    for resets in (1, 2):
        place = "a copy from before a proven reset" if resets == 1 else "a copy from before two proven resets"
        yield Experiment(FAULT, place, "store", partial(_behind_a_proof, resets=resets))
    for moment in _AT:
        place = f"a copy from before the reset, {moment.process} is at {moment.place}"
        yield Experiment(FAULT, place, "store", partial(_in_the_middle, moment=moment))


def _behind_a_proof(ground: Ground, trial: Trial, resets: int) -> None:
    copy = _copy(ground)
    for _ in range(resets):
        asked = trial.reset().answered()
        assert asked is not None
        ground.site.ends(asked)
    _put_back(ground, copy)


def _in_the_middle(ground: Ground, trial: Trial, moment: Moment) -> None:
    copy = _copy(ground)
    reach(ground, trial, moment, "stop")
    _put_back(ground, copy)


def _copy(ground: Ground) -> Path:
    """A copy of the store's folder, taken while the store was down."""
    store, copy = ground.site.server.store, ground.site.folder / "store-copy"
    ground.undo.append(lambda: shutil.rmtree(copy, ignore_errors=True))
    store.stop()
    shutil.copytree(store.state / "db", copy)
    store.restart()
    time.sleep(1.0)
    return copy


def _put_back(ground: Ground, copy: Path) -> None:
    """As an operator does it: everything is stopped, the copy laid in its place, everything started."""
    store = ground.site.server.store
    for name in SERVICES:
        ground.kill(name)
    store.stop()
    shutil.rmtree(store.state / "db")
    shutil.copytree(copy, store.state / "db")
    store.restart()
