"""Writing into a service's private folder."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only this user reads, whole or not at all, also after a power cut.

    Raises:
        OSError: the disk refuses; what was there stays.
    """
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
