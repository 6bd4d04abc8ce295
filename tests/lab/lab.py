"""A lab: a folder, a network of its own, and the hosts on it.

A lab is claimed by one process, which holds a lock on the folder for as long as it lives. Whoever is killed leaves
hosts running; the next claim of the same folder takes them away first, by their names. The bridge is raised by the
claim, so that a gateway can listen on its address before any host is booted.
"""

import fcntl
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab import cgroups, disk, machine, processes
from tests.lab.errors import LabError, LabInUseError
from tests.lab.first_state import Init
from tests.lab.host import Host
from tests.lab.names import Names
from tests.lab.network import NUMBERS, Network, machine_lock
from tests.lab.waiting import until

_CHECKOUT = Path(__file__).resolve().parents[2]
ALWAYS_ITS_OWN = {"dev", "home", "proc", "root", "run", "sys", "tmp"}
_OF_A_SYSTEM = {"bin", "boot", "etc", "lib", "media", "mnt", "opt", "sbin", "srv", "usr", "var"}


def private_places() -> tuple[Path, ...]:
    """Where the checkout and this Python live: a host must not borrow from either. /root and /home are always empty."""
    found: dict[Path, None] = {}
    for path in (_CHECKOUT, Path(sys.prefix), Path(sys.base_prefix)):
        real = path.resolve()
        if real in (Path("/usr"), Path("/usr/local")):
            continue  # The system's own Python is one that a server may have as well.
        top = Path("/", real.parts[1])
        if top.name in ALWAYS_ITS_OWN:
            continue  # A host has an empty one of its own there, whatever this machine keeps in it.
        found[real if top.name in _OF_A_SYSTEM else top] = None
    return tuple(found)


class Lab:
    """`hide` are paths of the machine, folders or single files, that are not on the hosts."""

    def __init__(self, folder: Path, hide: Sequence[Path | str] | None = None) -> None:
        self.folder = folder.resolve()
        self._hide = tuple(private_places() if hide is None else hide)
        self._names = Names.of(self.folder)
        self._network = Network(self._names)
        self._lock: int | None = None

    @staticmethod
    def available() -> str | None:
        """One sentence that says what this machine lacks for a lab (root, or a tool and its package), or None."""
        return machine.missing()

    def claim(self) -> Self:
        """Take the folder and a free network 10.77.k.0/24, and raise the bridge; what a dead run left goes first.

        Raises LabInUseError while another process holds the lab, LabError when the machine lacks something.
        """
        if (sentence := self.available()) is not None:
            raise LabError(sentence)
        self._hold()
        try:
            # A tool that a killed run had started may finish its work behind the first look.
            until(self._is_cleared, f"What a dead run left in {self.folder} does not go")
            with machine_lock():
                self._network.claim()
        except BaseException:
            self._release()
            raise
        return self

    def join(self) -> Self:
        """Use a lab that stands, as another process claimed it, without holding it."""
        if self._network.address is None:
            raise LabError(f"No lab stands in {self.folder}.")
        return self

    @property
    def stands(self) -> bool:
        return self._network.address is not None

    @property
    def address(self) -> str:
        """The machine's own address on the lab's network, which the hosts know as `keyturn`."""
        address = self._network.address
        if address is None:
            raise LabError(f"No lab stands in {self.folder}: claim it first.")
        return address

    def host(
        self,
        name: str,
        number: int | None = None,
        *,
        hide: Sequence[Path | str] = (),
        memory: int | None = None,
        init: Init = Init.SYSTEMD,
    ) -> Host:
        """The host of that name, made (off) when there is none yet.

        Its address ends in `number`, 2 to 250, by default the first free one. `hide` adds to what the lab hides, and
        `memory` limits all that it runs to so many bytes. Both hold for a host that is made here: a disk that has been
        booted keeps what it hides, and a limit is set at each boot of this object. `init` is its process 1.
        """
        if not self.stands:
            raise LabError(f"No lab stands in {self.folder}: claim it first.")
        self._names.host(name)
        host = self._known(name, hide, memory, init)
        with machine_lock():
            taken = {other.number: other.name for other in self.hosts()}
            if name in taken.values():
                if number not in (None, host.number):
                    raise LabError(f"{name} has the number {host.number} and keeps it.")
            else:
                number = next((free for free in NUMBERS if free not in taken), None) if number is None else number
                if number is None or number not in NUMBERS or number in taken:
                    raise LabError(f"{number} is no free number for a host: 2 to 250, taken are {sorted(taken)}.")
                host.make(number)
        return host

    def hosts(self) -> list[Host]:
        """All hosts of the lab, on or off, by name."""
        return [self._known(number.parent.name) for number in sorted(self.folder.glob("*/number"))]

    def close(self) -> None:
        """Take away all that this lab put on the machine. Safe to repeat, and after a crash.

        Raises LabInUseError while another process holds the lab.
        """
        if self._lock is None:
            self._hold()
        self._clear()
        self._release()

    def leftovers(self) -> list[str]:
        """Every trace of the lab on this machine, one a line; empty after `close`."""
        return [
            *(f"process {pid}" for pid in processes.in_groups(self._names.owns)),
            *(f"mount {point}" for point in disk.mounts(self.folder)),
            *(f"loop device {device}" for device in disk.loops(self.folder)),
            *(f"network namespace {name}" for name in self._network.namespaces()),
            *(f"interface {name}" for name in self._network.interfaces()),
            *(f"control group {folder}" for folder in cgroups.find(self._names)),
            *(f"file {path}" for path in self.folder.glob("*")),
        ]

    def __enter__(self) -> Self:
        return self if self._lock is not None else self.claim()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _known(
        self, name: str, hide: Sequence[Path | str] = (), memory: int | None = None, init: Init = Init.SYSTEMD
    ) -> Host:
        return Host(self.folder / name, self._names, self._network, hide=(*self._hide, *hide), memory=memory, init=init)

    def _is_cleared(self) -> bool:
        self._clear()
        return self.leftovers() == [f"file {self.folder / '.lock'}"]

    def _clear(self) -> None:
        for home in self.folder.glob("*/"):
            disk.Disk(home).thaw()
        processes.kill(self._names.owns)
        for home in self.folder.glob("*/"):
            disk.Disk(home).unmount()
        self._network.clear()
        for group in list(cgroups.find(self._names)):
            cgroups.remove(group)
        for home in self.folder.glob("*/"):
            shutil.rmtree(home)

    def _hold(self) -> None:
        if self._lock is not None:
            raise LabInUseError(f"This process has claimed the lab in {self.folder} already.")
        # A killed run's child may hold the lock between its fork and its exec, so a second is waited.
        try:
            until(self._is_held, f"The lab in {self.folder} is held", seconds=1)
        except LabError:
            # The one thing that this wait can say.
            raise LabInUseError(f"Another process holds the lab in {self.folder}.") from None

    def _is_held(self) -> bool:
        # Under the machine's lock, because a lab that closes takes its lock file away.
        with machine_lock():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                return False
            self._lock = lock
            return True

    def _release(self) -> None:
        with machine_lock():
            (self.folder / ".lock").unlink(missing_ok=True)
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None
            if self.folder.exists() and not any(self.folder.iterdir()):
                self.folder.rmdir()
