"""Waiting for the kernel, which takes namespaces, mounts and control groups down in the background."""

import time
from collections.abc import Callable

from tests.lab.errors import LabError

_PAUSE = 0.02


def until(done: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Return when `done` holds; a LabError names `what` when it does not within the seconds."""
    last = time.monotonic() + seconds
    while not done():
        if time.monotonic() > last:
            raise LabError(f"{what}, and {seconds:.0f} s were not enough.")
        time.sleep(_PAUSE)
