"""A host's control groups: one folder a hierarchy, so that hosts' units of one name do not share a limit.

The machine has either the one hierarchy of version 2 at /sys/fs/cgroup, or version 1 with a folder a controller and,
beside them, version 2 without controllers ("hybrid"). A host sees what the machine has.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.names import Names
from tests.lab.waiting import until

_ROOT = Path("/sys/fs/cgroup")


def is_unified() -> bool:
    return (_ROOT / "cgroup.controllers").exists()


def _parents() -> dict[str, Path]:
    """Where a host's folder goes, by the name of the hierarchy's folder under /sys/fs/cgroup.

    A folder in every hierarchy, because a host's systemd mounts all it knows of, and would otherwise share the
    machine's own.
    """
    if is_unified():
        # At the root, because only there may a group have both processes and children with controllers.
        return {"unified": _ROOT}
    found: dict[str, Path] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        name = controllers.removeprefix("name=") or "unified"
        own = _ROOT / name / path.strip("/")
        if (_ROOT / name).is_dir():
            found[name] = own if ".." not in path and own.is_dir() else _ROOT / name
    return found


def make(name: str, memory: int | None) -> dict[str, Path]:
    """The host's folders by hierarchy, with a limit of `memory` bytes on all that it runs."""
    folders = {hierarchy: parent / name for hierarchy, parent in _parents().items()}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            # A folder of this controller takes no process before it says where that may run.
            if not is_unified() and (folder / setting).exists():
                (folder / setting).write_text((folder.parent / setting).read_text())
    if memory is not None:
        if is_unified():
            limit = folders["unified"] / "memory.max"
            if not limit.exists() and "memory" in (_ROOT / "cgroup.controllers").read_text().split():
                # Systemd has handed the controller down at the root of most machines already; it stays so.
                (_ROOT / "cgroup.subtree_control").write_text("+memory")
        else:
            limit = folders.get("memory", _ROOT) / "memory.limit_in_bytes"
        if not limit.exists():
            raise LabError("This machine has no memory controller to give a host's folder a limit.")
        limit.write_text(str(memory))
    return folders


def find(names: Names) -> Iterator[Path]:
    """The lab's folders in all hierarchies, wherever the process that made them stood."""
    for at, folders, _ in os.walk(_ROOT):
        own = [folder for folder in folders if names.owns(folder)]
        yield from (Path(at, folder) for folder in own)
        folders[:] = [folder for folder in folders if folder not in own]


def remove(folder: Path) -> None:
    """Remove a folder and what the host's systemd made in it; all its processes have been killed."""
    until(lambda: _is_removed(folder), f"The control group {folder} still has processes")


def _is_removed(folder: Path) -> bool:
    for at, _, _ in os.walk(folder, topdown=False):
        try:
            Path(at).rmdir()
        except OSError:
            # Busy for as long as the last killed process is on its way out; the caller asks again.
            return not folder.exists()
    return not folder.exists()
