"""Writing keys: each file synced and with its mode from the first byte on, and never over another one."""

import os
from collections.abc import Callable
from pathlib import Path

Write = Callable[[Path, bytes, int], None]
"""Writes a new file: path, content, permission bits."""


def write(path: Path, content: bytes, mode: int) -> None:
    """A new file with these permission bits, whatever the umask, on the disk when this returns.

    Raises:
        FileExistsError: there is one already.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode & 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def make_folder(path: Path, mode: int) -> None:
    """A new folder with these permission bits, whatever the umask.

    Raises:
        FileExistsError: there is one already.
    """
    path.mkdir(mode=0o700)
    path.chmod(mode)


def sync_folder(path: Path) -> None:
    """What was made or renamed in this folder is on the disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
