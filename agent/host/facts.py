"""What the machine says of itself: for people to recognise it by, never an identity."""

import hashlib
import os
import platform
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LETTERS = 200


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The machine in its own words, each at most 200 letters and empty where it does not say."""

    hostname: str
    system: str
    kernel: str
    machine: str
    libc: str
    machine_hint: str
    """A hash of /etc/machine-id made for this use alone: equal on clones, and of no use to anyone else."""


def read_facts(root: Path = Path("/")) -> HostFacts:
    """The facts of this host, its files taken below `root`."""
    name = os.uname()
    return HostFacts(
        hostname=socket.gethostname()[:_LETTERS],
        system=_os_release(root).get("PRETTY_NAME", name.sysname)[:_LETTERS],
        kernel=name.release[:_LETTERS],
        machine=name.machine[:_LETTERS],
        libc=" ".join(platform.libc_ver()).strip()[:_LETTERS],
        machine_hint=_machine_hint(root),
    )


def _os_release(root: Path) -> Mapping[str, str]:
    for path in (root / "etc/os-release", root / "usr/lib/os-release"):
        try:
            lines = path.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
        return {key.strip(): _unquoted(value) for key, _, value in pairs}
    return {}


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value.strip()


def _machine_hint(root: Path) -> str:
    try:
        machine = (root / "etc/machine-id").read_bytes().strip()
    except OSError:
        return ""
    return hashlib.sha256(b"keyturn/machine-hint/1\0" + machine).hexdigest()[:32] if machine else ""
