"""What lies between two processes: it loses a connection after some bytes, slows everything, swallows everything, or
answers with a page of its own.
"""

import time
from collections.abc import Iterator
from functools import partial

from tests.e2e.faults.experiment import Experiment, NotReachedError
from tests.e2e.faults.front import AFTER, INSTEAD, PASS, Rule
from tests.e2e.faults.ground import AGENT, SILENCE_SECONDS, Ground
from tests.e2e.faults.trial import Trial
from tests.e2e.faults.wires import DOWN, UP

_COUNTS = {
    AGENT: (0, 200, 600, 1_200, 1_800, 2_400),
    "gateway-store": (0, 500, 2_500, 6_000),
    "scheduler-store": (0, 500, 2_500, 6_000),
    "gateway-broker": (0, 60, 300, 700),
    "scheduler-broker": (0, 60, 300, 700),
}
_SLOW_SECONDS = {
    AGENT: 0.5,
    "gateway-store": 0.1,
    "scheduler-store": 0.1,
    "gateway-broker": 0.5,
    "scheduler-broker": 0.5,
}
_LONG_SECONDS = 13.0
_PATHS = ("session", "fetch", "report", "observe", "poll")


def experiments() -> Iterator[Experiment]:
    for wire, counts in _COUNTS.items():
        for way in (UP, DOWN):
            for count in counts:
                act = partial(_cut, wire=wire, way=way, count=count)
                yield Experiment("wire cut", f"after {count} bytes {way}", wire, act)
        yield Experiment("wire slow", f"{_SLOW_SECONDS[wire]} s each way", wire, partial(_slow, wire=wire))
        for seconds in (SILENCE_SECONDS, _LONG_SECONDS):
            act = partial(_swallowed, wire=wire, seconds=seconds)
            yield Experiment("wire swallows", f"for {seconds:g} s", wire, act)
    for path in _PATHS:
        yield Experiment("504 instead", f"of {path}", AGENT, partial(_answered, path=path, does=INSTEAD))
        yield Experiment("504 after", f"{path} was done", AGENT, partial(_answered, path=path, does=AFTER))


def _cut(ground: Ground, trial: Trial, wire: str, way: str, count: int) -> None:
    line = ground.wires[wire]
    line.cut_after(way, count)
    trial.reset()
    if not line.cut_happened.wait(25):
        raise NotReachedError(f"not {count} bytes passed {wire} {way}")


def _slow(ground: Ground, trial: Trial, wire: str) -> None:
    ground.wires[wire].delay(_SLOW_SECONDS[wire])
    trial.reset().answered()
    time.sleep(SILENCE_SECONDS)


def _swallowed(ground: Ground, trial: Trial, wire: str, seconds: float) -> None:
    trial.reset()
    ground.wires[wire].swallow()
    time.sleep(seconds)


def _answered(ground: Ground, trial: Trial, path: str, does: str) -> None:
    ground.through_front(_rule(path, does))
    if path == "session":
        ground.site.agent("restart")
    trial.reset()
    if not ground.front.answered.wait(25):
        raise NotReachedError(f"the agent did not ask for {path}")
    time.sleep(1.5)


def _rule(path: str, does: str) -> Rule:
    """For this path; one that is answered although it was carried out is so once, or nothing would ever end."""
    done: list[str] = []

    def rule(asked: str) -> str:
        if not asked.endswith(f"/{path}") or (does == AFTER and done):
            return PASS
        done.append(asked)
        return does

    return rule
