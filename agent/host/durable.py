"""What is on the disk, also after a power cut."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Makes a folder's names durable: a rename in it is otherwise lost by a power cut.

    Raises:
        OSError: the folder cannot be opened or written through.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
