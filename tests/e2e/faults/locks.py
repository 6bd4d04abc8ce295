"""The host's tool waits for the lock of the account files, which somebody else holds, and something dies meanwhile."""

import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial

from libs.wire.steps import Step
from tests.e2e.faults.at_steps import Moment, reach
from tests.e2e.faults.experiment import Experiment
from tests.e2e.faults.ground import AGENT, Ground
from tests.e2e.faults.invariants import truth
from tests.e2e.faults.trial import Trial

_SCRIPT = "import fcntl,sys;f=open('/etc/.pwd.lock','w');fcntl.lockf(f,2);print('held',flush=True);sys.stdin.read()"
_WAITS_SECONDS = 1.5
FAULT = "tool waits for a lock"


def experiments() -> Iterator[Experiment]:
    acts: dict[str, Callable[[Ground], None]] = {
        "the agent is killed": lambda ground: ground.kill(AGENT),
        "the agent is killed twice": _twice,
        "the agent is stopped": lambda ground: ground.pause(AGENT),
        "the gateway is killed": lambda ground: ground.kill("gateway"),
        "the scheduler is killed": lambda ground: ground.kill("scheduler"),
        "the host's plug is pulled": lambda ground: ground.site.host.power_cut(),
    }
    for place, act in acts.items():
        yield Experiment(FAULT, place, AGENT, partial(_while_waiting, act=act))
    yield Experiment(FAULT, "before the agent begins", AGENT, _held_before)


def _hold(ground: Ground) -> None:
    """Takes the lock until the ground is healed."""
    host = ground.site.host
    holder = subprocess.Popen(
        host.command(["python3", "-c", _SCRIPT]),
        env=host.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    ground.undo.append(lambda: _let_go(holder))
    if holder.stdout.readline() != b"held\n":
        raise AssertionError("the lock was not taken")


def _let_go(holder: "subprocess.Popen[bytes]") -> None:
    with holder:
        pass


def _while_waiting(ground: Ground, trial: Trial, act: Callable[[Ground], None]) -> None:
    reach(ground, trial, Moment(AGENT, Step.AGENT_TOOL_JOURNALLED), "stop")
    _hold(ground)
    ground.resume(AGENT)
    time.sleep(_WAITS_SECONDS)
    act(ground)
    time.sleep(_WAITS_SECONDS)
    if ground.site.host.is_on:
        truth(ground, trial)


def _twice(ground: Ground) -> None:
    ground.kill(AGENT)
    time.sleep(_WAITS_SECONDS)
    ground.kill(AGENT)


def _held_before(ground: Ground, trial: Trial) -> None:
    _hold(ground)
    trial.reset()
    time.sleep(_WAITS_SECONDS * 2)
    truth(ground, trial)
