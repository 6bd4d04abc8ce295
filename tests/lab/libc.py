"""Calls of the kernel that Python 3.11 does not have."""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)

NEW_MOUNTS, NEW_CGROUPS, NEW_NAMES, NEW_IPC, NEW_PIDS = 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x20000000
NETWORK = 0x40000000
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXECUTION, REMOUNT, BIND = 1, 2, 4, 8, 32, 4096
RECURSIVE, PRIVATE = 16384, 1 << 18
_DETACH = 2
_DROP_FROM_BOUNDS = 24


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def unshare(spaces: int) -> None:
    _checked(_LIBC.unshare(spaces), "unshare")


def join(space: int, path: str) -> None:
    with open(path, "rb") as file:  # noqa: PTH123 - the path of a namespace, for its descriptor only
        _checked(_LIBC.setns(file.fileno(), space), path)


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    arguments = (os.fsencode(text) if text is not None else None for text in (source, target, kind))
    data = os.fsencode(options) if options is not None else None
    _checked(_LIBC.mount(*arguments, ctypes.c_ulong(flags), data), f"mount {kind or source} at {target}")


def pivot_root_here() -> None:
    """Make the current folder, a mount point, the root, and let the old root go."""
    _checked(_LIBC.pivot_root(b".", b"."), "pivot_root")
    _checked(_LIBC.umount2(b".", _DETACH), "umount the old root")
    os.chdir("/")


def drop_capability(number: int) -> None:
    _checked(_LIBC.prctl(_DROP_FROM_BOUNDS, ctypes.c_ulong(number), 0, 0, 0), "prctl")
