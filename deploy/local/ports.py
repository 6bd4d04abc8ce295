"""Free ports on loopback, chosen so that two deployments on one machine do not meet.

A port is free only until somebody else takes it, and no probe changes that. So a part picks a port at random, starts,
and then asks the kernel whether the listener on that port is its own process; if not, it takes another port. All
ports lie below 32768, where no outgoing connection is given one by the kernel.
"""

import secrets
import socket
from pathlib import Path

FIRST = 20_000
LAST = 32_767
LISTEN_STATE = "0A"


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a listener could take the port at this moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(*, hosts: tuple[str, ...] = ("127.0.0.1",), prefer: int | None = None) -> int:
    """A port between 20000 and 32767 that is free on every host now; `prefer`, when that is free."""
    if prefer is not None and all(is_free(prefer, host) for host in hosts):
        return prefer
    while True:
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        if all(is_free(port, host) for host in hosts):
            return port


def listener_inodes(port: int) -> set[str]:
    """The kernel's socket numbers of everything that listens on the port, over IPv4 and IPv6."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN_STATE and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


def answered_by(pid: int, port: int) -> bool:
    """Whether it is this process that listens on the port."""
    wanted = {f"socket:[{inode}]" for inode in listener_inodes(port)}
    if not wanted:
        return False
    try:
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        return False
    for descriptor in descriptors:
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target in wanted:
            return True
    return False
