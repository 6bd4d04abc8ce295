"""The keeper of one supervised process: it sees to it that nothing outlives the supervisor.

A supervisor can be killed with -9 and then cleans nothing up. So each child has a keeper of its own between itself
and the supervisor, a tiny process that

- watches the supervisor by a pidfd, which tells its death whatever its threads and forks do (PR_SET_PDEATHSIG would
  fire when the *thread* that started the child ends, and an inherited pipe would stay open in a forked sibling);
- is a subreaper, so that whatever the child leaves behind (a daemon that forked twice, say) becomes the keeper's own
  child;
- kills with -9 all that is below it as soon as the child or the supervisor has ended, and only then ends itself.

The child in turn gets PR_SET_PDEATHSIG from the keeper, which has one thread, so it dies with a killed keeper as
well. The inherited descriptor of the state folder's lock stays open in the keeper: the state is free when the last
keeper is gone.

It runs as `python -I -S keeper.py SUPERVISOR REPORT_FD,OTHER_FD... NAME COMMAND...` and imports the standard library
alone. It writes the child's process id and a newline to REPORT_FD, and ends with the child's status (128 and the
signal's number when a signal ended it). The environment, the working directory, the standard streams and the session
it was started with are the child's too; the child leads a process group of its own.
"""

import ctypes
import os
import pathlib
import select
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CANNOT_EXECUTE = 127


def prctl(option: int, value: int) -> None:
    """Sets one attribute of this process. Raises OSError when the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl was refused")


def become(command: list[str], keeper: int) -> None:
    """Turns the forked child into the command; does not return."""
    try:
        os.setpgid(0, 0)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(CANNOT_EXECUTE)  # The keeper died before the line above could promise anything.
        signal.set_wakeup_fd(-1)
        for each in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execve(command[0], command, given_environment())  # noqa: S606 - the caller's words, and no shell wanted
    except OSError as error:
        os.write(2, f"{command[0]} cannot be started: {error.strerror}\n".encode())
    os._exit(CANNOT_EXECUTE)


def given_environment() -> dict[bytes, bytes]:
    """The environment as this process was started with it; the interpreter may have added LC_CTYPE to its own since."""
    given = pathlib.Path("/proc/self/environ").read_bytes()
    pairs = (entry.partition(b"=") for entry in given.split(b"\0") if entry)
    return {name: value for name, _, value in pairs}


def reap(child: int) -> int | None:
    """Collects every ended process below; returns the child's wait status when it is among them."""
    status = None
    while True:
        try:
            pid, found = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if pid == 0:
            return status
        if pid == child:
            status = found


def children() -> list[int]:
    """The direct children of this process; with a subreaper, orphans further down come up to here."""
    me = str(os.getpid())
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The command's name stands in brackets and may hold spaces; the parent is the second field after it.
        if fields.rpartition(")")[2].split()[1] == me:
            found.append(int(entry.name))
    return found


def sweep() -> None:
    """Kills and reaps until nothing is left below this process."""
    while True:
        for pid in children():
            os.kill(pid, signal.SIGKILL)  # Ours and not yet reaped, so the number cannot belong to anybody else.
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def keep(supervisor: int, passed_on: list[int], command: list[str]) -> int:
    """Runs the command below this process until it or the supervisor ends; returns the status to end with.

    `passed_on` are the descriptors that are the keeper's and not the child's; the first is the one to report on.
    """
    report = passed_on[0]
    alive = os.pidfd_open(supervisor)
    if os.getppid() != supervisor:
        return CANNOT_EXECUTE
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for descriptor in passed_on:
        os.set_inheritable(descriptor, False)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    me = os.getpid()
    child = os.fork()
    if child == 0:
        become(command, me)
    os.write(report, f"{child}\n".encode())
    os.close(report)
    poll = select.poll()
    poll.register(alive, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    status = None
    while status is None:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if wake_read in ready:
            os.read(wake_read, 4096)
            status = reap(child)
        elif alive in ready:
            break
    sweep()
    if status is None:
        return 128 + signal.SIGKILL
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), [int(each) for each in sys.argv[2].split(",")], sys.argv[4:]))
