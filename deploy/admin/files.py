"""Writing keys: each file synced and with its mode from the first byte on.

A new file goes over no other one. One that is replaced is replaced whole, and belongs to whom its folder belongs, so
that an operator who is root leaves no file that its service cannot read.
"""

import os
import secrets
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


def replace(path: Path, content: bytes, mode: int) -> None:
    """What is in this file from now on, whole or not at all, also after a power cut.

    Raises:
        OSError: the disk refuses; what was there stays.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write(beside, content, mode)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.chown(beside, owner.st_uid, owner.st_gid)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


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
