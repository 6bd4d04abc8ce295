"""Processes told apart across reuse of their numbers, awaited and ended."""

import asyncio
import contextlib
import hashlib
import os
import signal
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_STEP_SECONDS: Final = 0.05
_STARTED_FIELD: Final = 19  # the 22nd field of stat, counted from the one after the command's name


def boot_id() -> str:
    """A random name that the kernel gives itself at each boot."""
    return (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()


def birth_of(pid: int) -> int | None:
    """An opaque number below 2**48: this process, in this boot. None when there is none, or it is dead and unreaped."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name is in brackets and may hold brackets and blanks itself.
    fields = text[text.rindex(b")") + 2 :].split()
    if fields[0] in {b"Z", b"X"}:
        return None
    digest = hashlib.sha256(f"{boot_id()} {pid} {fields[_STARTED_FIELD].decode()}".encode()).digest()
    return int.from_bytes(digest[:6])


async def ended_within(pid: int, birth: int, seconds: float) -> bool:
    """Whether this very process ends in that time; its exit status is left to its parent."""
    for _ in range(int(seconds / _STEP_SECONDS)):
        if birth_of(pid) != birth:
            return True
        await asyncio.sleep(_STEP_SECONDS)
    return birth_of(pid) != birth


def kill(pid: int, birth: int) -> None:
    """End this very process at once, and its group where it leads one. Nothing happens to another of that number."""
    if birth_of(pid) != birth:
        return
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
