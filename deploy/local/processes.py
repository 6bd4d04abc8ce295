"""A supervised child process: everything about it is given, and nothing of it stays.

Its environment is built from nothing, standard input is /dev/null, both outputs go to its log file, and a keeper (see
keeper.py) stands above it, so that it and all it starts are gone after a stop as well as after a kill -9 of the
supervisor.
"""

import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local.errors import StartError

KEEPER = Path(__file__).with_name("keeper.py")
LOG_TAIL_LINES = 12
STANDS_SECONDS = 5.0


def log_tail(log: Path, lines: int = LOG_TAIL_LINES) -> str:
    """The last lines of a log file, for the sentence that explains a failed start; empty when there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _stands(pid: int) -> bool:
    """Whether every thread of a process is stopped, or gone."""
    try:
        # The command's name may hold blanks and brackets; the state follows the last one.
        stats = [(task / "stat").read_text().rpartition(")")[2] for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return not Path(f"/proc/{pid}").exists()
    return all(stat.split()[0] in "TtZX" for stat in stats)


class Process:
    """One started process. Every method may be called from any thread, and after the process has ended."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path,
        environment: Mapping[str, str],
        hold: int | None = None,
    ) -> None:
        """Starts `command`, whose first word is an absolute path.

        `hold` is a descriptor that stays open for as long as anything of the process lives. Raises StartError when the
        keeper cannot start it.
        """
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        report_read, report_write = os.pipe()
        descriptors = [report_write] if hold is None else [report_write, hold]
        log_descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", KEEPER, str(os.getpid()), ",".join(map(str, descriptors)), name, *command],
                stdin=subprocess.DEVNULL,
                stdout=log_descriptor,
                stderr=log_descriptor,
                cwd=cwd,
                env=dict(environment),
                pass_fds=descriptors,
                start_new_session=True,
                umask=0o077,
            )
        finally:
            os.close(log_descriptor)
            os.close(report_write)
        with os.fdopen(report_read) as report:
            line = report.readline()
        if not line:
            raise StartError(f"{name} could not be started.\n{log_tail(log)}")
        self.pid = int(line)
        self._descriptor: int | None = None
        try:
            self._descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return  # It has ended already; `status` tells how.
        weakref.finalize(self, os.close, self._descriptor)

    @property
    def alive(self) -> bool:
        """Whether the process or anything it has started still runs."""
        return self._keeper.poll() is None

    @property
    def status(self) -> int | None:
        """None while alive; else the exit status, or 128 and the number of the signal that ended it."""
        return self._keeper.poll()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the process itself, and does nothing when it has ended."""
        if self._descriptor is None:
            return
        try:
            signal.pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            return

    def wait(self, seconds: float) -> bool:
        """Waits until the process and all it has started are gone; returns whether they are."""
        try:
            self._keeper.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Ends the process as a crash would, with SIGKILL, and returns when nothing of it is left."""
        self.send(signal.SIGKILL)
        self._keeper.wait()

    def pause(self) -> None:
        """Stops the process without its knowledge: it holds its sockets and answers nothing.

        Returns when each of its threads stands, which takes the kernel a moment: till then one may answer once more.
        """
        self.send(signal.SIGSTOP)
        latest = time.monotonic() + STANDS_SECONDS
        while not _stands(self.pid) and time.monotonic() < latest:
            time.sleep(0.001)

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self, grace: float = 15.0) -> None:
        """Asks the process to end, and after `grace` seconds ends it with SIGKILL."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)
        if not self.wait(grace):
            self.kill()


def wait_until_ready(process: Process, ready: Callable[[], bool], *, seconds: float, pause: float = 0.05) -> None:
    """Waits until `ready()` is true. Raises StartError when the process ends or stays silent for `seconds`."""
    end = time.monotonic() + seconds
    while not ready():
        if not process.alive:
            raise StartError(f"{process.name} ended with status {process.status}.\n{log_tail(process.log)}")
        if time.monotonic() > end:
            raise StartError(f"{process.name} was not ready within {seconds:.0f} s.\n{log_tail(process.log)}")
        time.sleep(pause)
