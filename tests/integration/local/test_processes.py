"""A supervised process gets what it was given, and nothing of it stays."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.errors import StartError
from deploy.local.processes import Process, wait_until_ready
from tests.integration.local.leftovers import leftovers

# A daemon that forks twice into a session of its own, as epmd does, below a process that then waits.
WITH_A_DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("standing", flush=True)
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600)
"""
SUPERVISOR = """
import sys, time
from pathlib import Path
from deploy.local.processes import Process
folder = Path(sys.argv[1])
process = Process("one", [sys.executable, "-c", sys.argv[2]], log=folder / "one.log", cwd=folder, environment={})
print("started", flush=True)
time.sleep(600)
"""


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end, "it did not happen within 30 s"
        time.sleep(0.02)


def start(folder: Path, program: str, **environment: str) -> Process:
    return Process("one", [sys.executable, "-c", program], log=folder / "one.log", cwd=folder, environment=environment)


def test_it_gets_the_environment_that_was_given_and_no_other(tmp_path: Path) -> None:
    process = start(tmp_path, "print(sorted(open('/proc/self/environ').read().split('\\0')))", ONE="1", TWO="2")
    assert process.wait(30)
    assert (tmp_path / "one.log").read_text() == "['', 'ONE=1', 'TWO=2']\n"


def test_it_reads_nothing_and_both_outputs_go_to_one_private_log(tmp_path: Path) -> None:
    process = start(tmp_path, "import sys; print(repr(sys.stdin.read()), flush=True); print('err', file=sys.stderr)")
    assert process.wait(30)
    log = tmp_path / "one.log"
    assert log.read_text() == "''\nerr\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_it_inherits_no_descriptor_but_the_standard_streams(tmp_path: Path) -> None:
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    try:
        process = Process(
            "one",
            [sys.executable, "-c", "import os; print(sorted(os.listdir('/proc/self/fd')))"],
            log=tmp_path / "one.log",
            cwd=tmp_path,
            environment={},
            hold=lock,
        )
        assert process.wait(30)
    finally:
        os.close(lock)
    # The fourth is the one that lists them.
    assert (tmp_path / "one.log").read_text() == "['0', '1', '2', '3']\n"


def test_its_status_is_told(tmp_path: Path) -> None:
    process = start(tmp_path, "raise SystemExit(7)")
    assert process.wait(30)
    assert process.status == 7


def test_a_command_that_does_not_exist_says_so(tmp_path: Path) -> None:
    process = Process("one", ["/nowhere/at-all"], log=tmp_path / "one.log", cwd=tmp_path, environment={})
    with pytest.raises(StartError, match=r"status 127(.|\n)*/nowhere/at-all cannot be started: No such file"):
        wait_until_ready(process, lambda: False, seconds=30)


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    process = start(
        tmp_path,
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
    )
    until(lambda: (tmp_path / "one.log").read_text() == "deaf\n")
    process.stop(grace=0.2)
    assert process.status == 128 + signal.SIGKILL
    assert leftovers(tmp_path) == []


def test_a_paused_process_is_stopped_in_order(tmp_path: Path) -> None:
    process = start(tmp_path, "import time; print('here', flush=True); time.sleep(600)")
    until(lambda: (tmp_path / "one.log").read_text() == "here\n")
    process.pause()
    process.stop()
    assert process.status == 128 + signal.SIGTERM


def test_each_thread_of_a_paused_process_stands(tmp_path: Path) -> None:
    """A broker that was paused took one more message, and confirmed it."""
    busy = "import hashlib, threading\ndef spin():\n  while True: hashlib.sha256(b'x' * 1_000_000)\n"
    process = start(
        tmp_path, f"{busy}for _ in range(8): threading.Thread(target=spin).start()\nprint('here', flush=True)"
    )
    until(lambda: (tmp_path / "one.log").read_text() == "here\n")
    for _ in range(20):
        process.pause()
        stats = [(task / "stat").read_text() for task in Path(f"/proc/{process.pid}/task").iterdir()]
        assert {stat.rpartition(")")[2].split()[0] for stat in stats} == {"T"}
        process.resume()
    process.kill()


def test_a_kill_takes_the_daemon_along(tmp_path: Path) -> None:
    process = start(tmp_path, WITH_A_DAEMON)
    until(lambda: (tmp_path / "one.log").exists() and "standing" in (tmp_path / "one.log").read_text())
    assert len(leftovers(tmp_path)) >= 3  # The keeper, the process and its daemon: the look sees them.
    process.kill()
    assert leftovers(tmp_path) == []


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, root: Path) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, tmp_path, WITH_A_DAEMON], cwd=root, stdout=subprocess.DEVNULL
    )
    until(lambda: (tmp_path / "one.log").exists() and "standing" in (tmp_path / "one.log").read_text())
    assert len(leftovers(tmp_path)) >= 4
    supervisor.kill()
    supervisor.wait()
    until(lambda: leftovers(tmp_path) == [])


def test_a_process_does_not_outlive_its_killed_keeper(tmp_path: Path) -> None:
    process = start(tmp_path, "import time; print('here', flush=True); time.sleep(600)")
    until(lambda: (tmp_path / "one.log").read_text() == "here\n")
    parent = (Path("/proc") / str(process.pid) / "stat").read_text().rpartition(")")[2].split()[1]
    os.kill(int(parent), signal.SIGKILL)
    until(lambda: leftovers(tmp_path) == [])
    assert not process.alive
