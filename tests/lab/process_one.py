"""Becomes process 1 of a host: `python -m tests.lab.process_one PLAN`, started by `Host.boot` and by nothing else.

The process enters the host's control groups and network, leaves the machine's other namespaces, and forks: the child
is process 1 of the new process space. It lays the host's root, makes it its own (the machine's mounts are let go, so
that no host holds the disk of another) and becomes the host's init. The parent notes the child's number and ends;
nothing but the host itself stays running.
"""

import json
import os
import socket
import stat
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from tests.lab import libc
from tests.lab.processes import started

_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
# What would reach the machine's one kernel: its modules, raw devices, clock and audit.
_NOT_ON_A_HOST = {"CAP_SYS_MODULE": 16, "CAP_SYS_RAWIO": 17, "CAP_SYS_TIME": 25, "CAP_AUDIT_CONTROL": 30}


@dataclass(frozen=True)
class Plan:
    """All that is needed to boot.

    `cgroups` are folders by hierarchy, `record` takes "number start" of process 1, `starter` is the process that waits.
    """

    name: str
    network: str
    disk: str
    root: str
    cgroups: dict[str, str]
    is_unified: bool
    console: str
    record: str
    init: str
    starter: int

    def to_text(self) -> str:
        return json.dumps(asdict(self))


def main(text: str) -> None:
    plan = Plan(**json.loads(text))
    for folder in plan.cgroups.values():
        Path(folder, "cgroup.procs").write_text(str(os.getpid()))
    if os.getppid() != plan.starter:
        # Whoever wanted this host was killed. The next claim of the lab must not meet a host that comes up late.
        sys.exit("The process that starts this host is gone.")
    libc.join(libc.NETWORK, plan.network)
    libc.unshare(libc.NEW_MOUNTS | libc.NEW_CGROUPS | libc.NEW_NAMES | libc.NEW_IPC | libc.NEW_PIDS)
    noted, note = os.pipe()
    child = os.fork()
    if child == 0:
        # A new root is the root of all processes in the mount space, the parent too: it must have written by then.
        os.close(note)
        if os.read(noted, 1):
            _become(plan)
        os._exit(1)
    fresh = Path(plan.record + ".new")
    fresh.write_text(f"{child} {started(child)}")
    fresh.rename(plan.record)
    os.write(note, b"1")
    # Its root may be gone by now: it ends without Python's own farewell, which looks for modules.
    os._exit(0)


def _become(plan: Plan) -> NoReturn:
    try:
        os.setsid()
        os.umask(0)
        console = os.open(plan.console, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(console, 1)
        os.dup2(console, 2)
        os.closerange(3, 256)
        libc.mount("none", "/", flags=libc.RECURSIVE | libc.PRIVATE)
        _lay_root(plan)
        _lay_devices()
        _lay_cgroups(plan)
        libc.pivot_root_here()
        socket.sethostname(plan.name)
        for number in _NOT_ON_A_HOST.values():
            libc.drop_capability(number)
        os.umask(0o022)
        command = [plan.init]
        if plan.init.endswith("systemd"):
            command += ["--log-level=warning", "--log-target=console", "--show-status=false"]
        os.execve(command[0], command, {"container": "other", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})  # noqa: S606 - it becomes it
    except BaseException:  # noqa: BLE001 - the forked child must end here, and its reason goes to the console
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _lay_root(plan: Plan) -> None:
    # The paths are relative, because a colon or a comma in a path would end an option of the overlay.
    os.chdir(plan.disk)
    libc.mount("overlay", plan.root, "overlay", options="lowerdir=/,upperdir=upper,workdir=work")
    os.chdir(plan.root)
    libc.mount("proc", "proc", "proc", libc.NO_SUID | libc.NO_DEVICES | libc.NO_EXECUTION)
    # The kernel is the machine's: a host reads its settings and does not change them.
    for path in (path for path in ("proc/sys", "proc/sysrq-trigger") if Path(path).exists()):
        libc.mount(path, path, flags=libc.BIND)
        libc.mount(path, path, flags=libc.BIND | libc.REMOUNT | libc.READ_ONLY)
    libc.mount("tmpfs", "run", "tmpfs", options="mode=755")
    libc.mount("tmpfs", "tmp", "tmpfs", options="mode=1777")
    libc.mount("sysfs", "sys", "sysfs", libc.READ_ONLY)


def _lay_devices() -> None:
    libc.mount("tmpfs", "dev", "tmpfs", options="mode=755")
    for name, (major, minor) in _DEVICES.items():
        os.mknod(f"dev/{name}", stat.S_IFCHR | 0o666, os.makedev(major, minor))
    for name in ("pts", "shm"):
        Path("dev", name).mkdir()
    libc.mount("devpts", "dev/pts", "devpts", options="newinstance,ptmxmode=0666,mode=620,gid=5")
    libc.mount("tmpfs", "dev/shm", "tmpfs", options="mode=1777")
    Path("dev/ptmx").symlink_to("pts/ptmx")
    Path("dev/console").touch()


def _lay_cgroups(plan: Plan) -> None:
    """Each mount shows the host's own folder as the root, because the process has a control-group space of its own."""
    at = Path("sys/fs/cgroup")
    if plan.is_unified:
        libc.mount("cgroup2", str(at), "cgroup2")
        return
    libc.mount("tmpfs", str(at), "tmpfs", options="mode=755")
    for hierarchy in plan.cgroups:
        (at / hierarchy).mkdir()
        kind = "cgroup2" if hierarchy == "unified" else "cgroup"
        options = {"unified": None, "systemd": "none,name=systemd"}.get(hierarchy, hierarchy)
        libc.mount("cgroup", str(at / hierarchy), kind, options=options)


if __name__ == "__main__":
    main(sys.argv[1])
