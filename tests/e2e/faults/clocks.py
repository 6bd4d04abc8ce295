"""The clock is put a day ahead or back, on the host or on the server, in the middle of a reset, and later put right.

A process is given another clock by libfaketime, which reads the difference from a file at each look at the clock; the
monotonic clock goes on as it is, as the kernel's does. The server's clock is that of its three services; broker and
store keep theirs.
"""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from libs.wire.steps import Step
from tests.e2e.faults.at_steps import Moment, reach
from tests.e2e.faults.experiment import Experiment, NotReachedError
from tests.e2e.faults.ground import AGENT, SERVICES, Ground
from tests.e2e.faults.invariants import truth
from tests.e2e.faults.trial import Trial

FAULT = "clock stepped"
_DAY = 86_400
_LASTS_SECONDS = 2.0
_ON_HOST = "/run/keyturn-clock"
_DROP_IN = "/etc/systemd/system/keyturn-agent.service.d/clock.conf"
_LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1",)

_HOST = (Moment(AGENT, Step.AGENT_FETCHED), Moment(AGENT, Step.AGENT_TOOL_FED), Moment(AGENT, Step.AGENT_RESULT_SIGNED))
_SERVER = (
    Moment("gateway", Step.GATEWAY_REQUEST_WRITTEN),
    Moment("scheduler", Step.SCHEDULER_JOB_INSERTED),
    Moment("gateway", Step.GATEWAY_RESULT_STORED),
)
_WAYS = {"ahead": _DAY, "back": -_DAY}


def experiments() -> Iterator[Experiment]:
    for way, seconds in _WAYS.items():
        for moment in _HOST:
            act = partial(_on_host, moment=moment, seconds=seconds)
            yield Experiment(FAULT, f"a day {way}, {moment.place}", "host", act)
        for names, process in ((SERVICES, "server"), (("gateway",), "gateway"), (("scheduler",), "scheduler")):
            for moment in _SERVER:
                act = partial(_on_server, moment=moment, seconds=seconds, names=names)
                yield Experiment(FAULT, f"a day {way}, {moment.process} is at {moment.place}", process, act)


def library() -> str:
    """The library that gives a process another clock."""
    for pattern in _LIBRARIES:
        for found in Path("/").glob(pattern.lstrip("/")):
            return str(found)
    raise NotReachedError("libfaketime is not installed: apt-get install faketime")


def variables(file: str) -> dict[str, str]:
    """The environment of a process whose clock is off by what `file` says."""
    return {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": file,
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def _has_another_clock(maps: bytes) -> None:
    if b"libfaketime" not in maps:
        raise NotReachedError("the process did not take another clock")


def _on_host(ground: Ground, trial: Trial, moment: Moment, seconds: int) -> None:
    trial.then_drifts = True
    host = ground.site.host
    lines = "".join(f"Environment={name}={value}\n" for name, value in variables(_ON_HOST).items())
    _step_host(ground, 0)
    host.write(_DROP_IN, f"[Service]\n{lines}".encode())
    ground.undo.append(lambda: _own_clock_again(ground))
    host.run(["systemctl", "daemon-reload"])
    ground.site.agent("restart")
    reach(ground, trial, moment, "stop")
    _has_another_clock(host.read(f"/proc/{ground.site.agent_pid()}/maps"))
    _step_host(ground, seconds)
    ground.resume(AGENT)
    time.sleep(_LASTS_SECONDS)
    truth(ground, trial)


def _step_host(ground: Ground, seconds: int) -> None:
    ground.site.host.write(_ON_HOST, f"{seconds:+d}\n".encode())


def _own_clock_again(ground: Ground) -> None:
    """The clock is put right while the agent runs; afterwards it runs without another clock."""
    host = ground.site.host
    ground.resume(AGENT)
    _step_host(ground, 0)
    time.sleep(_LASTS_SECONDS)
    host.run(["rm", "-f", _DROP_IN])
    host.run(["systemctl", "daemon-reload"])
    ground.site.agent("restart")


def _on_server(ground: Ground, trial: Trial, moment: Moment, seconds: int, names: Sequence[str]) -> None:
    trial.then_drifts = True
    clock = ground.site.folder / "clock"
    _step_server(clock, 0)
    for name in names:
        service = ground.site.server.process(name)
        service.settings |= variables(str(clock))
        service.restart()
    ground.undo.append(lambda: _own_clocks_again(ground, clock, names))
    reach(ground, trial, moment, "stop")
    for name in names:
        _has_another_clock(Path(f"/proc/{ground.part(name).pid}/maps").read_bytes())
    _step_server(clock, seconds)
    ground.resume(moment.process)
    time.sleep(_LASTS_SECONDS)
    truth(ground, trial)


def _step_server(clock: Path, seconds: int) -> None:
    aside = clock.with_suffix(".new")
    aside.write_text(f"{seconds:+d}\n")
    aside.replace(clock)


def _own_clocks_again(ground: Ground, clock: Path, names: Sequence[str]) -> None:
    for name in names:
        ground.resume(name)
    _step_server(clock, 0)
    time.sleep(_LASTS_SECONDS)
    for name in names:
        service = ground.site.server.process(name)
        for variable in variables(str(clock)):
            service.settings.pop(variable, None)
        service.restart()
