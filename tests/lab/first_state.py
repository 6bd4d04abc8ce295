"""What is on a host's disk before it boots for the first time: a machine of its own over the other's system files.

A host's root is an overlay: the machine's root below, the host's disk above. So a file in the upper layer replaces the
machine's, a character device 0/0 hides it, and a folder with the attribute "opaque" starts empty. All this is written
before the overlay is first mounted, because the kernel forbids it afterwards.
"""

import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_MACHINE = Path("/")
UP = "/run/lab-is-up"
_PEOPLE = range(1000, 60000)
# Places of people, which a fresh server has and which are empty on it.
EMPTY = ("/root", "/home", "/var/tmp")  # noqa: S108 - named to be hidden, nothing is written there
# The machine's own services and mounts, and copies of its account files from before their last change.
_OF_THE_MACHINE = ("etc/systemd/system/*.wants", "etc/rc?.d/S*", *(f"etc/{name}-" for name in ("passwd", "shadow")))


class Init(StrEnum):
    """What a host's process 1 is: its program. The two small ones are told apart by their name, as real ones are."""

    SYSTEMD = "/lib/systemd/systemd"
    SYSV = "/etc/lab/init"  # runs /etc/rc2.d
    BARE = "/etc/lab/first"  # starts nothing, as in most containers


# It waits for children again and again, and with that reaps every process that lost its parent.
_SMALL_INIT = f"""#!/bin/sh
mkdir -p /run/lock
if [ "${{0##*/}}" = init ]; then
  for each in /etc/rc2.d/S*; do [ ! -x "$each" ] || "$each" start; done
fi
: >{UP}
while :; do sleep 0.5; done
"""


@dataclass(frozen=True)
class Upper:
    """The upper layer of a root, at `at`."""

    at: Path

    def place(self, path: str) -> Path:
        """Where a path of the host lies in the layer; its parents are made, with the modes they have below."""
        real = (_MACHINE / path.lstrip("/")).parent.resolve() / Path(path).name
        for parent in reversed(real.parents[:-1]):
            above = self.at / parent.relative_to("/")
            if not above.exists():
                above.mkdir()
                self._like(parent, above)
        return self.at / real.relative_to("/")

    def write(self, path: str, text: str) -> None:
        above = self.place(path)
        above.unlink(missing_ok=True)
        above.write_text(text)
        self._like(_MACHINE / path.lstrip("/"), above)

    def link(self, path: str, target: str) -> None:
        above = self.place(path)
        above.unlink(missing_ok=True)
        above.symlink_to(target)

    def hide(self, path: str) -> None:
        below = _MACHINE / path.lstrip("/")
        if below.exists() or below.is_symlink():
            above = self.place(path)
            if not above.exists():
                os.mknod(above, stat.S_IFCHR, os.makedev(0, 0))

    def empty(self, path: str) -> None:
        above = self.place(path)
        above.mkdir(exist_ok=True)
        self._like(_MACHINE / path.lstrip("/"), above)
        os.setxattr(above, "trusted.overlay.opaque", b"y")

    @staticmethod
    def _like(machine: Path, above: Path) -> None:
        if machine.exists():
            of = machine.stat()
            os.chown(above, of.st_uid, of.st_gid)
            shutil.copymode(machine, above)


def write(upper: Upper, name: str, gateway: str, hide: Iterable[str], init: Init = Init.SYSTEMD) -> None:
    for path in EMPTY:
        upper.empty(path)
    for pattern in _OF_THE_MACHINE:
        for found in _MACHINE.glob(pattern):
            upper.hide(str(found))
    for path in hide:
        if not any(Path(path).is_relative_to(empty) for empty in EMPTY):
            upper.hide(path)
    for path, text in _accounts():
        upper.write(path, text)
    upper.write("/etc/machine-id", f"{uuid.uuid4().hex}\n")
    upper.write("/etc/hostname", f"{name}\n")
    upper.write("/etc/hosts", f"127.0.0.1 localhost {name}\n::1 localhost\n{gateway} keyturn\n")
    upper.write("/etc/fstab", "")
    upper.link("/etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target")
    if init is not Init.SYSTEMD:
        upper.write(init.value, _SMALL_INIT)
        upper.place(init.value).chmod(0o755)


def _accounts() -> Iterator[tuple[str, str]]:
    """The machine's account files without its people, and without a password that anybody knows."""
    users, groups = _lines("passwd"), _lines("group")
    people = {user[0] for user in users if int(user[2]) in _PEOPLE}
    teams = {group[0] for group in groups if int(group[2]) in _PEOPLE}
    yield "/etc/passwd", _text(user for user in users if user[0] not in people)
    yield "/etc/shadow", _text([u[0], _locked(u[1]), *u[2:]] for u in _lines("shadow") if u[0] not in people)
    for file in ("group", "gshadow"):
        yield f"/etc/{file}", _text([*g[:-1], _without(g[-1], people)] for g in _lines(file) if g[0] not in teams)
    for file in ("subuid", "subgid"):
        yield f"/etc/{file}", _text(line for line in _lines(file) if line[0] not in people)


def _lines(name: str) -> list[list[str]]:
    file = _MACHINE / "etc" / name
    return [line.split(":") for line in file.read_text().splitlines() if line] if file.exists() else []


def _text(lines: Iterable[list[str]]) -> str:
    return "".join(":".join(line) + "\n" for line in lines)


def _locked(field: str) -> str:
    return field if re.fullmatch(r"[!*]+", field) else "*"


def _without(members: str, people: set[str]) -> str:
    return ",".join(member for member in members.split(",") if member not in people)
