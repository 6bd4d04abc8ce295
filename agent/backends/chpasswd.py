"""`chpasswd`, the one tool of the host that this backend starts.

It reads `name:password` lines until its input ends and changes each as it comes, so exactly one line is given to one
process, and a password with a line break never gets here. It is started without a shell, leads its own process group,
and is killed by the kernel when the agent dies: otherwise it would wait on for the lock of the account files and set
the password long after everyone stopped looking. Its input stays empty until its pid is journalled.

Every real refusal is the same two lines of text and status 1; `preflight` finds out why.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from agent.backends.ports import Started
from agent.host.children import clean_environment, die_with_parent
from agent.host.processes import birth_of
from libs.wire.steps import Step, step

_TEXT_BYTES: Final = 4_096
_LAST_WORDS_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class ToolEnd:
    """How the tool ended. `code` is None when it had to be killed; `reaped` is False when it lives in spite of that."""

    code: int | None
    text: bytes
    reaped: bool = True


class ToolNotStartedError(Exception):
    """The tool cannot be started, with the sentence why."""


class ChangeTool(Protocol):
    """Something that takes one `name:password` line, or `name:field` where the field is written as it is."""

    async def run(self, line: bytes, *, encrypted: bool, started: Started) -> ToolEnd:
        """Give it one line and await its end.

        Raises:
            ToolNotStartedError: it was given nothing.
        """


class Chpasswd:
    """The real tool. It goes through PAM, except with `encrypted`: then the field is written without asking PAM."""

    def __init__(
        self, environ: Mapping[str, str], *, command: tuple[str, ...] = ("chpasswd",), seconds: float = 60.0
    ) -> None:
        self._environment = clean_environment(environ)
        self._command = command
        self._seconds = seconds
        self._in_child = die_with_parent()

    async def run(self, line: bytes, *, encrypted: bool, started: Started) -> ToolEnd:
        """See `ChangeTool`. Cancelling this call kills the tool and reaps it first."""
        reading = writing = said = -1
        try:
            try:
                reading, writing = os.pipe()
                said = os.memfd_create("said")  # a file, not a pipe: a grandchild that keeps it open holds nobody up
                process = await self._start(reading, said, encrypted=encrypted)
            except OSError as error:
                raise ToolNotStartedError(f"{self._command[0]} cannot be started: {error.strerror}") from error
            os.close(reading)
            reading = -1
            try:
                step(Step.AGENT_TOOL_STARTED)
                started(process.pid, birth_of(process.pid) or 0)
                with contextlib.suppress(BrokenPipeError):  # it ended already; its status says why
                    os.write(writing, line)  # below PIPE_BUF, so it is whole or not at all
                os.close(writing)
                writing = -1
                step(Step.AGENT_TOOL_FED)
                async with asyncio.timeout(self._seconds):
                    await process.wait()
            except TimeoutError:
                return ToolEnd(None, _read(said), reaped=await _end(process))
            except BaseException:
                await asyncio.shield(_end(process))
                raise
            step(Step.AGENT_TOOL_ENDED)
            return ToolEnd(process.returncode, _read(said))
        finally:
            for descriptor in (reading, writing, said):
                if descriptor >= 0:
                    os.close(descriptor)

    async def _start(self, reading: int, said: int, *, encrypted: bool) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            *(("-e",) if encrypted else ()),
            stdin=reading,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=self._environment,
            cwd="/",
            process_group=0,
            preexec_fn=self._in_child,
        )


def _read(said: int) -> bytes:
    return os.pread(said, _TEXT_BYTES, 0)


async def _end(process: asyncio.subprocess.Process) -> bool:
    """Kill the tool with its group; whether it is gone afterwards (a process may hang in the kernel)."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        async with asyncio.timeout(_LAST_WORDS_SECONDS):
            await process.wait()
    except TimeoutError:
        return False
    return True
