"""A host's disk: a sparse ext4 image, mounted through a loop device while the host is on.

The power cut is ext4's own shutdown without a flush of data or journal (what file-system tests call "godown -f"): at
one instant nothing more reaches the image, and the next mount recovers the journal, exactly as after a pulled plug.
A snapshot of a running host is taken while ext4 is frozen, so the copy is of one instant too.
"""

import contextlib
import errno
import fcntl
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.machine import call
from tests.lab.waiting import until

_SHUTDOWN, _NO_FLUSH = 0x8004587D, struct.pack("I", 2)
_FREEZE, _THAW = 0xC0045877, 0xC0045878


class Disk:
    """Files of the host's folder: disk.img, kept.img (the snapshot) and disk/ (where it is mounted)."""

    def __init__(self, home: Path, size: int = 1 << 30) -> None:
        self._image, self._kept, self.at, self._size = home / "disk.img", home / "kept.img", home / "disk", size

    def make(self) -> None:
        if not self._image.exists():
            self.at.mkdir(parents=True, exist_ok=True)
            # Made under another name: a run that is killed half-way leaves no image that looks whole.
            fresh = self._image.with_suffix(".new")
            with fresh.open("wb") as file:
                file.truncate(self._size)
            call("mkfs.ext4", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", str(fresh))
            fresh.rename(self._image)

    @property
    def is_mounted(self) -> bool:
        return self.at.is_mount()

    def mount(self) -> None:
        if not self.is_mounted:
            call("mount", "-o", "loop", str(self._image), str(self.at))

    def unmount(self) -> None:
        """Write everything out and let the loop device go; a cut disk has nothing to write. The machine may be busy."""
        until(self._is_let_go, f"{self._image} is still in use", seconds=180)

    def sync(self) -> None:
        call("sync", "-f", str(self.at))

    def thaw(self) -> None:
        """End the freeze of a snapshot whose process was killed; till then not even a killed process can go."""
        if self.is_mounted:
            self._order(_THAW, struct.pack("I", 0), ignored=(errno.EINVAL,))

    def cut(self) -> None:
        """Lose what was not yet synced. Only unmounting makes the disk usable again."""
        self._order(_SHUTDOWN, _NO_FLUSH)

    def snapshot(self) -> None:
        """Keep a copy; it takes the place of the last one only when it is whole."""
        fresh = self._kept.with_suffix(".new")
        with self._frozen():
            call("cp", "--sparse=always", "--reflink=auto", str(self._image), str(fresh))
        fresh.rename(self._kept)

    def rollback(self) -> None:
        if not self._kept.exists():
            raise LabError("There is no snapshot to go back to.")
        fresh = self._image.with_suffix(".new")
        call("cp", "--sparse=always", "--reflink=auto", str(self._kept), str(fresh))
        fresh.rename(self._image)

    def _is_let_go(self) -> bool:
        # Looked at each time anew: a mount that a killed run had just begun comes up late.
        if self.is_mounted:
            call("umount", str(self.at))
        return not list(loops(self._image))

    @contextlib.contextmanager
    def _frozen(self) -> Iterator[None]:
        if not self.is_mounted:
            yield
            return
        self._order(_FREEZE, struct.pack("I", 0))
        try:
            yield
        finally:
            self._order(_THAW, struct.pack("I", 0))

    def _order(self, order: int, argument: bytes, ignored: tuple[int, ...] = ()) -> None:
        at = os.open(self.at, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(at, order, argument)
        except OSError as error:
            if error.errno not in ignored:
                raise
        finally:
            os.close(at)


def loops(under: Path) -> Iterator[str]:
    """Loop devices whose image is `under` or lies in it."""
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            image = Path(backing.read_text().rstrip("\n").removesuffix(" (deleted)"))
        except OSError:
            # The device was let go between the listing and the read.
            continue
        if image.is_relative_to(under):
            yield backing.parts[3]


def mounts(under: Path) -> list[Path]:
    """Mount points of this machine in a folder, the deepest first."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        # The kernel writes a space in a path as \040, and a few others likewise.
        point = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), line.split()[4]))
        if point.is_relative_to(under):
            found.append(point)
    return sorted(found, key=lambda point: len(point.parts), reverse=True)
