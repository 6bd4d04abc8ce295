"""What this scheduler has seen of the epoch, kept outside of the store: so one that was put back is noticed."""

import json
from pathlib import Path
from typing import Protocol

from libs.service.private_files import write_private
from libs.store.epoch import Epoch

_NOTHING = Epoch(0)


class Witness(Protocol):
    """Remembers the newest epoch and count that was seen."""

    def read(self) -> Epoch:
        """What was kept; the beginning of time where nothing was."""
        ...

    def keep(self, epoch: Epoch) -> None:
        """Durable when this returns."""
        ...


class MemoryWitness:
    """Remembers for as long as the process lives, where no file was named."""

    def __init__(self) -> None:
        self._kept = _NOTHING

    def read(self) -> Epoch:
        return self._kept

    def keep(self, epoch: Epoch) -> None:
        self._kept = epoch


class FileWitness:
    """Remembers in a file of its own, which no backup of the store may hold."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Epoch:
        """What was kept.

        Raises:
            OSError, ValueError: the file cannot be read. What it knew must not be taken for nothing.
        """
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return _NOTHING
        return Epoch(int(found["began"]), int(found["given"]))

    def keep(self, epoch: Epoch) -> None:
        """Whole or not at all, also after a power cut.

        Raises:
            OSError: the disk refuses; then no generation may be given.
        """
        write_private(self._path, json.dumps({"began": epoch.began, "given": epoch.given}).encode())
