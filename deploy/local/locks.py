"""File locks between processes: one builder of a part at a time, one supervisor of a state folder at a time.

They are flock locks: they belong to the open file, so a keeper that inherits the descriptor holds the lock with its
supervisor, and the kernel frees it when the last holder is gone, however it went.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import StateInUseError


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds the lock at `path` for a block; waits for as long as another process needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def take(path: Path, *, seconds: float) -> int:
    """Takes the lock of a state folder, notes this process in it, and returns the descriptor to close.

    Waits up to `seconds`, since the keepers of a killed supervisor need a moment. Raises StateInUseError after that.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < end:
                time.sleep(0.05)
                continue
            holder = os.pread(descriptor, 32, 0).decode().strip()
            os.close(descriptor)
            raise StateInUseError(f"{path.parent} is in use: process {holder} runs on it.") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor


def holder(path: Path) -> int | None:
    """The process that took the lock at `path`, or None when nobody holds it."""
    if not path.exists():
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).decode().strip()
        return int(text) if text else None
    finally:
        os.close(descriptor)
    return None
