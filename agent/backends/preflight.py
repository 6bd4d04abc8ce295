"""Whether this host's account files can be replaced, asked of the host itself.

A tool's refusal is the same text for every cause, so the causes are looked for: the file system's flags, the file's
attributes, whether shadow is a mount of its own (a file that is one cannot be renamed over), free space for the copy
that the tools write, and a trial of what they do: make a file beside shadow, give it to shadow's owner, remove it.
Nothing is repaired here; an attribute that somebody set on purpose is his.
"""

import array
import errno
import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from libs.wire.reasons import Reason

_FS_IOC_GETFLAGS: Final = 0x80086601
_IMMUTABLE: Final = 0x10
_APPEND_ONLY: Final = 0x20
_COPIES: Final = 3
_BLOCK: Final = 4_096


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a password cannot be set on this host now."""

    reason: Reason
    sentence: str


def examine(root: Path) -> Obstacle | None:
    """The first thing that stands in the way of replacing /etc/shadow under `root`; None when nothing does."""
    etc = root / "etc"
    shadow = etc / "shadow"
    try:
        return (
            _read_only(etc)
            or _immutable(shadow, "shadow")
            or _immutable(etc, "etc")
            or _mounted(shadow)
            or _full(etc, shadow)
            or _trial(etc, shadow)
        )
    except FileNotFoundError as error:
        return Obstacle(Reason.REFUSED_BY_HOST, f"{error.filename} does not exist on this host")
    except PermissionError as error:
        return Obstacle(Reason.NO_PRIVILEGE, f"the agent may not read {error.filename}")


def _read_only(etc: Path) -> Obstacle | None:
    if os.statvfs(etc).f_flag & os.ST_RDONLY:
        return Obstacle(Reason.ETC_READ_ONLY, f"{etc} is on a file system that is mounted read-only")
    return None


def _attributes(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        flags = array.array("l", [0])
        fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, flags)
        return flags[0]
    except OSError as error:
        if error.errno in {errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}:
            return 0  # a file system without attributes
        raise
    finally:
        os.close(descriptor)


def _immutable(path: Path, what: str) -> Obstacle | None:
    flags = _attributes(path)
    if flags & _IMMUTABLE:
        return Obstacle(Reason.SHADOW_IMMUTABLE, f"{path} has the immutable attribute (lsattr shows i)")
    if flags & _APPEND_ONLY:
        what = "may only be appended to" if what == "shadow" else "lets no file be replaced"
        return Obstacle(Reason.SHADOW_IMMUTABLE, f"{path} has the append-only attribute (lsattr shows a): it {what}")
    return None


def _mounted(shadow: Path) -> Obstacle | None:
    real = os.path.realpath(shadow)
    for line in Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines():
        # The kernel writes blanks and backslashes of a mount point as octal escapes.
        point = line.split(" ")[4]
        for escape, plain in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
            point = point.replace(escape, plain)
        if point == real:
            return Obstacle(Reason.SHADOW_IS_MOUNT, f"{shadow} is a mount point of its own, so it cannot be replaced")
    return None


def _full(etc: Path, shadow: Path) -> Obstacle | None:
    space = os.statvfs(etc)
    need = max(_COPIES * shadow.stat().st_size, _BLOCK)
    free = space.f_bavail * space.f_frsize
    if free < need:
        return Obstacle(Reason.DISK_FULL, f"the file system of {etc} has {free} bytes free and {need} are needed")
    if space.f_files and not space.f_favail:
        return Obstacle(Reason.DISK_FULL, f"the file system of {etc} has no room for one more file")
    return None


def _trial(etc: Path, shadow: Path) -> Obstacle | None:
    owner = shadow.stat()
    trial = etc / f".keyturn-trial-{secrets.token_hex(8)}"
    step = "make a file in"
    try:
        descriptor = os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            step = "write a file in"
            os.write(descriptor, b"\0" * _BLOCK)
            os.fsync(descriptor)
            step = f"give a file to {owner.st_uid}:{owner.st_gid} (CAP_CHOWN) in"
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        finally:
            os.close(descriptor)
            trial.unlink()
    except OSError as error:
        return _obstacle_of(error, f"the agent may not {step} {etc}")
    return None


def _obstacle_of(error: OSError, sentence: str) -> Obstacle:
    if error.errno == errno.EROFS:
        return Obstacle(Reason.ETC_READ_ONLY, f"{sentence}: the file system is read-only")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Obstacle(Reason.DISK_FULL, f"{sentence}: no space is left")
    return Obstacle(Reason.NO_PRIVILEGE, f"{sentence}: {os.strerror(error.errno or 0)}")
