"""A part that ends is started again; one that keeps ending ends the whole, with a sentence."""

from pathlib import Path

import pytest

from deploy.local import supervision
from deploy.local.errors import StartError


class Watched:
    """What `watch` asks of a deployment, with one part that ends each time it was started."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.name = "one"
        self.pid = None
        self.alive = False
        self.restarts = 0
        self.written = 0

    @property
    def parts(self) -> list["Watched"]:
        return [self]

    def restart(self) -> None:
        self.restarts += 1

    def write_run_file(self) -> None:
        self.written += 1


def test_a_part_that_keeps_ending_is_given_up(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    said: list[str] = []
    with pytest.raises(StartError, match="The one keeps ending"):
        supervision.watch(watched, said.append, clock=lambda: 0.0, sleep=lambda _seconds: None)
    assert watched.restarts == watched.written == supervision.RESTARTS
    assert said == ["The one has ended; starting it again."] * supervision.RESTARTS


def test_a_part_that_ends_seldom_is_started_again_each_time(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    now = iter(range(0, 10_000, 60))
    slept = 0

    def sleep(_seconds: float) -> None:
        nonlocal slept
        slept += 1
        if slept > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        supervision.watch(watched, lambda _sentence: None, clock=lambda: float(next(now)), sleep=sleep)
    assert watched.restarts == 20
