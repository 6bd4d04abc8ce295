"""Disks are full: the host's, the agent's own folder, the store's; and the broker says that its own nearly is."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from libs.wire.steps import Step
from tests.e2e.faults.at_steps import Moment, reach
from tests.e2e.faults.experiment import Experiment, NotReachedError
from tests.e2e.faults.ground import AGENT, Ground
from tests.e2e.faults.invariants import truth
from tests.e2e.faults.trial import Trial

FAULT = "disk full"
STATE = "/var/lib/keyturn-agent"
_KEPT = "/run/keyturn-agent-kept"
_FULL = (
    'cd "$1" && (fallocate -l $(df --output=avail -B1 . | tail -1) filler; cat /dev/zero >filler2; true) 2>/dev/null'
)
_LASTS_SECONDS = 2.0
_MEGABYTE = 1 << 20

_AT = (
    None,
    Moment(AGENT, Step.AGENT_FETCHED),
    Moment(AGENT, Step.AGENT_INTENT_JOURNALLED),
    Moment(AGENT, Step.AGENT_TOOL_JOURNALLED),
    Moment(AGENT, Step.AGENT_TOOL_ENDED),
)


def experiments() -> Iterator[Experiment]:
    for moment in _AT:
        place = "before the reset" if moment is None else moment.place
        yield Experiment(FAULT, place, "host", partial(_host_full, moment=moment))
        yield Experiment(FAULT, place, AGENT, partial(_state_full, moment=moment))
    for moment in (
        None,
        Moment("scheduler", Step.SCHEDULER_REQUEST_CHECKED),
        Moment("scheduler", Step.SCHEDULER_JOB_INSERTED),
        Moment("gateway", Step.GATEWAY_JOB_FETCHED),
    ):
        place = "before the reset" if moment is None else moment.place
        yield Experiment(FAULT, place, "store", partial(_store_full, moment=moment))
        yield Experiment("disk alarm", place, "broker", partial(_alarm, moment=moment))


def _host_full(ground: Ground, trial: Trial, moment: Moment | None) -> None:
    if moment is not None:
        reach(ground, trial, moment, "stop")
    _fill(ground, "/var/tmp")  # noqa: S108 - a folder of the host, whose whole disk is filled
    _go_on(ground, trial, moment)


def _state_full(ground: Ground, trial: Trial, moment: Moment | None) -> None:
    _small_state(ground)
    if moment is not None:
        reach(ground, trial, moment, "stop")
    _fill(ground, STATE)
    _go_on(ground, trial, moment)


def _go_on(ground: Ground, trial: Trial, moment: Moment | None) -> None:
    if moment is None:
        trial.reset()
    else:
        ground.resume(moment.process)
    time.sleep(_LASTS_SECONDS)
    truth(ground, trial)


def _fill(ground: Ground, folder: str) -> None:
    host = ground.site.host
    ground.undo.append(lambda: _run(ground, f'rm -f "{folder}/filler" "{folder}/filler2"'))
    host.run(["sh", "-c", _FULL, "sh", folder])


def _run(ground: Ground, line: str) -> None:
    ground.site.host.run(["sh", "-c", f"set -e; {line}"], timeout=60)


def _small_state(ground: Ground) -> None:
    """The agent's folder on a disk of its own, a little larger than what is in it."""
    _run(
        ground,
        f"systemctl stop keyturn-agent; cp -a {STATE} {_KEPT}; size=$(($(du -sk {STATE} | cut -f1) + 256));"
        f" mount -t tmpfs -o size=${{size}}k,mode=700 tmpfs {STATE}; cp -a {_KEPT}/. {STATE}/; rm -r {_KEPT};"
        " systemctl start keyturn-agent",
    )
    ground.undo.append(
        lambda: _run(
            ground,
            f"systemctl kill -s CONT keyturn-agent || true; systemctl stop keyturn-agent; cp -a {STATE} {_KEPT};"
            f" umount {STATE}; rm -rf {STATE}/*; cp -a {_KEPT}/. {STATE}/; rm -r {_KEPT}; sync -f {STATE};"
            " systemctl start keyturn-agent",
        )
    )


def _store_full(ground: Ground, trial: Trial, moment: Moment | None) -> None:
    small = _small_store(ground)
    if moment is not None:
        reach(ground, trial, moment, "stop")
    subprocess.run(["sh", "-c", _FULL, "sh", str(small)], check=True)
    ground.undo.append(lambda: _empty(ground, small))
    if moment is None:
        trial.reset()
    else:
        ground.resume(moment.process)
    time.sleep(_LASTS_SECONDS * 2)


def _empty(ground: Ground, small: Path) -> None:
    for name in ("filler", "filler2"):
        (small / name).unlink(missing_ok=True)
    # A store that met a full disk is not trusted to go on, as an operator would not either.
    ground.part("store").kill()
    ground.part("store").restart()


def _small_store(ground: Ground) -> Path:
    """The store's folder on a disk of its own, a few megabytes larger than what is in it."""
    store = ground.site.server.store
    folder, aside = store.state / "db", ground.site.folder / "store-aside"
    store.stop()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) + 12 * _MEGABYTE
    folder.rename(aside)
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)], check=True)

    def back() -> None:
        store.stop()
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(folder, aside)
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()
        aside.rename(folder)
        store.restart()

    ground.undo.append(back)
    shutil.copytree(aside, folder, dirs_exist_ok=True)
    store.restart()
    return folder


def _alarm(ground: Ground, trial: Trial, moment: Moment | None) -> None:
    broker = ground.site.server.broker
    if moment is not None:
        reach(ground, trial, moment, "stop")
    ground.undo.append(lambda: _no_alarm(ground))
    broker.control("set_disk_free_limit", str(10**15))
    if "disk" not in broker.control("eval", "rabbit_alarm:get_alarms()."):
        raise NotReachedError("the broker raised no alarm")
    if moment is None:
        trial.reset()
    else:
        ground.resume(moment.process)
    time.sleep(_LASTS_SECONDS)
    truth(ground, trial)


def _no_alarm(ground: Ground) -> None:
    ground.site.server.broker.control("set_disk_free_limit", "200MB")
