"""Keeping a deployment up.

A part that ends unasked is said and started again; a part that keeps ending ends the whole.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from deploy.local.errors import StartError

LOOK_SECONDS = 1.0
RESTARTS = 5
WITHIN_SECONDS = 60.0


class WatchedPart(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def alive(self) -> bool: ...

    def restart(self) -> None: ...


class Watched(Protocol):
    """A deployment, as far as it is watched."""

    @property
    def logs(self) -> Path: ...

    @property
    def parts(self) -> Sequence[WatchedPart]: ...

    def write_run_file(self) -> None: ...


def watch(
    deployment: Watched,
    say: Callable[[str], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Returns never; raises StartError when one part ended six times within a minute, or does not come up again."""
    restarts: dict[str, deque[float]] = defaultdict(deque)
    while True:
        sleep(LOOK_SECONDS)
        for part in deployment.parts:
            if part.alive:
                continue
            recent = restarts[part.name]
            now = clock()
            while recent and now - recent[0] >= WITHIN_SECONDS:
                recent.popleft()
            if len(recent) == RESTARTS:
                raise StartError(f"The {part.name} keeps ending; see {deployment.logs}/{part.name}.log.")
            recent.append(now)
            say(f"The {part.name} has ended; starting it again.")
            part.restart()
            deployment.write_run_file()
