"""A host's processes, as the machine's kernel knows them."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab.waiting import until

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """`pid` is the number that the host itself sees; `uid` is the user it runs as."""

    pid: int
    uid: int
    command: tuple[str, ...]


def started(pid: int) -> str | None:
    """When a living process started, in the kernel's ticks since boot; with its number this names it for ever."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def in_groups(is_own: Callable[[str], bool]) -> list[int]:
    """Processes of the machine in a control group with such a name, zombies left out."""
    return [
        pid
        for pid in _all()
        if any(is_own(part) for part in _text(pid, "cgroup").replace("\n", "/").split("/")) and started(pid) is not None
    ]


def kill(is_own: Callable[[str], bool]) -> None:
    """Kill all processes in such groups. With process 1 of a host the kernel kills everything that runs on it."""

    def is_done() -> bool:
        for pid in (alive := in_groups(is_own)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                # Gone with its process 1 since the look; that is what was wanted.
                continue
        return not alive

    until(is_done, "Killed processes do not go")


def of_host(init: int) -> Iterator[Process]:
    space = (_PROC / str(init) / "ns/pid").readlink()
    for pid in _all():
        try:
            if (_PROC / str(pid) / "ns/pid").readlink() != space:
                continue
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            # Ended meanwhile, or one of the machine's that even root may not look into; a host's are open to root.
            continue
        status = dict(line.split(":", 1) for line in _text(pid, "status").splitlines())
        if status:
            command = tuple(_text(pid, "cmdline").split("\0")[:-1]) or (status["Name"].strip(),)
            yield Process(int(status["NSpid"].split()[-1]), int(status["Uid"].split()[0]), command)


def _all() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _text(pid: int, what: str) -> str:
    """A file of a process, empty when it ended meanwhile."""
    try:
        return (_PROC / str(pid) / what).read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
