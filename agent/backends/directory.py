"""Who answers for a name that has no line in /etc/passwd: asked by hand, for one name, never by enumeration."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from agent.host.children import clean_environment, die_with_parent

WhoAnswers = Callable[[str], Awaitable[str | None]]
"""The source of the name service that knows this name; None when none does, or none said so in time."""

_PASSWD_LINE: Final = re.compile(r"^\s*passwd\s*:(?P<sources>[^#\n]*)", re.MULTILINE)
_SECONDS_EACH: Final = 2.0
_SOURCES: Final = 8


def sources_of(nsswitch: Path) -> list[str]:
    """The sources that the host asks for accounts, without the local files and without the actions in brackets."""
    try:
        match = _PASSWD_LINE.search(nsswitch.read_text("utf-8", "replace"))
    except OSError:
        return []  # without the file the C library asks the local files alone
    words = re.sub(r"\[[^\]]*\]", " ", match["sources"] if match else "").split()
    return [word for word in words if word not in {"files", "compat"} and word.isalnum()][:_SOURCES]


def ask_getent(environ: Mapping[str, str], nsswitch: Path) -> WhoAnswers:
    """The real question: `getent -s SOURCE passwd NAME`, in a process that can be given up when a directory hangs."""
    environment = clean_environment(environ)
    in_child = die_with_parent()

    async def who_answers(name: str) -> str | None:
        for source in sources_of(nsswitch):
            process = await asyncio.create_subprocess_exec(
                "getent", "-s", source, "passwd", "--", name,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                env=environment, process_group=0, preexec_fn=in_child,
            )  # fmt: skip
            try:
                async with asyncio.timeout(_SECONDS_EACH):
                    if await process.wait() == 0:
                        return source
            except TimeoutError:
                continue
            finally:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()
        return None

    return who_answers


async def nobody(_name: str) -> str | None:
    """The answer of a host without directories."""
    return None
