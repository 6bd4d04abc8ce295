"""One agent a host.

A lock beside each agent's own state would let two of them share a host and fight over its accounts. So there is one
lock for the whole host, in two forms: a locked file in /run, and a name among the kernel's abstract sockets. A file can
be on another mount and a socket's name in another network namespace; an agent that misses one still meets the other.
Both go with the process, however it ends.
"""

import fcntl
import os
import socket
from pathlib import Path
from typing import Final, Self

LOCK_FILE: Final = Path("/run/keyturn-agent.lock")
SOCKET_NAME: Final = "keyturn-agent"


class AgentRunningError(Exception):
    """Permanent for this process: another agent works on this host."""


class HostLock:
    """The lock, from making this to closing it."""

    def __init__(self, path: Path = LOCK_FILE, name: str = SOCKET_NAME) -> None:
        """Take the lock.

        Raises:
            AgentRunningError: another agent has it; says its pid where it is known.
            OSError: the file cannot be made.
        """
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._take(path, name)
        except BaseException:
            self.close()
            raise

    def _take(self, path: Path, name: str) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 20, 0).decode("ascii", "replace").strip()
            who = f"process {holder}" if holder.isdigit() else "another process"
            raise AgentRunningError(f"a Keyturn agent runs on this host already: {who} holds {path}") from None
        try:
            self._socket.bind(f"\0{name}")
        except OSError:
            raise AgentRunningError(
                f"a Keyturn agent runs on this host already: another process holds the socket @{name}"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Give it back. The file stays: removing it could remove another agent's."""
        self._socket.close()
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
