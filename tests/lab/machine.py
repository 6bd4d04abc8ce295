"""What a lab needs of the machine, and the one way to call its tools."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.lab.errors import LabError

# Under sudo and in cron the path often lacks the folders for root's tools.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SYSTEMD = Path("/lib/systemd/systemd")
_PACKAGES = {
    "ip": "iproute2",
    "nft": "nftables",
    "mkfs.ext4": "e2fsprogs",
    "mount": "mount",
    "umount": "mount",
    "nsenter": "util-linux",
    "systemctl": "systemd",
    "useradd": "passwd",
    "chpasswd": "passwd",
}
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21, "CAP_MKNOD": 27}


def is_root() -> bool:
    return os.geteuid() == 0


def missing(path: str = PATH) -> str | None:
    """One sentence that says what a lab lacks on this machine, or None; tools are looked for on `path`."""
    if not is_root():
        return "The lab boots real hosts and needs root."
    status = Path("/proc/self/status").read_text()
    held = int(status.partition("CapEff:")[2].split()[0], 16)
    for capability, bit in _CAPABILITIES.items():
        if not held >> bit & 1:
            return f"The lab boots real hosts and needs {capability}: give the container its privileges."
    absent = [name for name in _PACKAGES if shutil.which(name, path=path) is None]
    if not SYSTEMD.exists():
        absent.append("systemctl")
    if absent:
        packages = " ".join(sorted({_PACKAGES[name] for name in absent}))
        return f"The lab needs {', '.join(dict.fromkeys(absent))}: apt-get install {packages}."
    if not Path("/dev/loop-control").exists():
        return "The lab needs loop devices and /dev/loop-control is not there: modprobe loop."
    return None


def tool(name: str) -> str:
    found = shutil.which(name, path=PATH)
    if found is None:
        raise LabError(f"{name} is not on this machine: apt-get install {_PACKAGES.get(name, name)}.")
    return found


def call(name: str, *arguments: str, feed: str | None = None) -> str:
    """Standard output of one of the machine's tools, fed on standard input; its own complaint is in the LabError."""
    done = subprocess.run(
        [tool(name), *arguments],
        input=feed,
        stdin=subprocess.DEVNULL if feed is None else None,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": PATH, "LC_ALL": "C"},
    )
    if done.returncode != 0:
        raise LabError(f"{name} {' '.join(arguments)}: {done.stderr.strip() or done.returncode}")
    return done.stdout
