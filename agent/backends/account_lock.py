"""/etc/.pwd.lock: the lock that the C library's lckpwdf, PAM and the shadow tools share.

It is a POSIX record lock, so the kernel knows who holds it and /proc/locks names him. Closing any descriptor of the
file gives up this process's lock on it: one descriptor at a time, under a lock of the backend.
"""

import asyncio
import contextlib
import fcntl
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from agent.backends.ports import Busy

_STEP_SECONDS: Final = 0.1
_LOCK: Final = "hhqqi"  # struct flock on every Linux of 64 bits
_FIELDS: Final = 8  # of a lock in /proc/locks


def holder_of(path: Path, locks: Path = Path("/proc/locks")) -> int | None:
    """The pid that holds a lock on this file; None where the kernel does not say, as for another pid namespace's."""
    try:
        status = path.stat()
        lines = locks.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    file = (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino)
    for line in lines:
        fields = line.split()
        if "->" in fields or len(fields) < _FIELDS:
            continue  # a waiter's line, or none of a lock
        major, minor, inode = fields[5].split(":")
        if (int(major, 16), int(minor, 16), int(inode)) == file:
            return int(fields[4]) if int(fields[4]) > 0 else None
    return None


def asked(path: Path) -> Busy | None:
    """Who holds the lock, asked of the kernel without taking it; None when nobody does.

    Raises:
        OSError: the lock's file cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack(_LOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    finally:
        os.close(descriptor)
    kind, _, _, _, holder = struct.unpack(_LOCK, answer)
    if kind == fcntl.F_UNLCK:
        return None
    who = f"process {holder}{_name(holder)}" if holder > 0 else "a process that this host does not name"
    return Busy(holder if holder > 0 else None, f"{path} is held by {who}")


def busy(path: Path) -> Busy:
    """Who is in the way, in words."""
    holder = holder_of(path)
    who = f"process {holder}{_name(holder)}" if holder else "a process that this host does not name"
    return Busy(holder, f"{path} is held by {who}")


def _name(pid: int) -> str:
    try:
        return f" ({Path(f'/proc/{pid}/comm').read_text('utf-8', 'replace').strip()})"
    except OSError:
        return ""


@contextlib.asynccontextmanager
async def held(path: Path, seconds: float) -> AsyncIterator[Busy | None]:
    """The lock, waited for so long; yields None while it is ours, and who holds it when it is not.

    Raises:
        OSError: the lock's file cannot be opened, as on a read-only /etc.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        for _ in range(int(seconds / _STEP_SECONDS)):
            if _try(descriptor):
                break
            await asyncio.sleep(_STEP_SECONDS)
        else:
            if not _try(descriptor):
                yield busy(path)
                return
        yield None
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES: both mean that another process has it
        return False
    return True
