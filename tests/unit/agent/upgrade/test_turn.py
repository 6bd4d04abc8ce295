"""`turn.sh`: whatever happens between two of its steps, a program that works is started in the end."""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

TURN = Path(__file__).resolve().parents[4] / "agent/packaging/linux/turn.sh"

GOOD = "rm -f trial; exit 0"
FAILS = "exit 1"
GIVES_UP = "exit 78"
HANGS = "exec sleep 600"

STEP = """#!/bin/sh
n=$(($(cat "$COUNT") + 1)); echo "$n" >"$COUNT"
[ "$n" != "$CUT" ] || {{ kill -9 "$PPID"; exit 1; }}
exec {tool} "$@"
"""
"""A tool of the host at which this script can be killed: the nth step of all is not taken any more."""


@dataclass
class Folder:
    """A program's folder; each program writes its name when it is started."""

    path: Path

    def program(self, name: str, where: str, body: str) -> None:
        folder = self.path / where
        folder.mkdir()
        made = folder / "keyturn-agent"
        made.write_text(f'#!/bin/sh\necho "{name} $*" >>started\n{body}\n')
        made.chmod(0o755)

    def start(self, *, cut: int = 0, seconds: int = 300, starts: int = 3) -> subprocess.Popen[bytes]:
        tools = self.path / "tools"
        environment = {
            "PATH": f"{tools}:/usr/bin:/bin",
            "COUNT": str(self.path / "count"),
            "CUT": str(cut),
            "KEYTURN_TRIAL_SECONDS": str(seconds),
            "KEYTURN_TRIAL_STARTS": str(starts),
        }
        (self.path / "count").write_text("0\n")
        return subprocess.Popen(["/bin/sh", str(self.path / "turn.sh"), "run", "a b"], env=environment)

    def run(self, *, cut: int = 0, seconds: int = 300, starts: int = 3) -> int:
        """Starts it; its exit status, below 0 where it was killed."""
        return self.start(cut=cut, seconds=seconds, starts=starts).wait(60)

    @property
    def started(self) -> list[str]:
        try:
            return (self.path / "started").read_text().splitlines()
        except FileNotFoundError:
            return []

    @property
    def holds(self) -> set[str]:
        return {each.name for each in self.path.iterdir()} - {"turn.sh", "tools", "count", "started"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    shutil.copy(TURN, tmp_path / "turn.sh")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("mv", "rm", "sync"):
        (tools / name).write_text(STEP.format(tool="true" if name == "sync" else shutil.which(name)))
    # Seconds pass a hundred times as fast.
    (tools / "sleep").write_text('#!/bin/sh\nexec /bin/sleep "$(($1 / 100)).$(printf %02d "$(($1 % 100))")"\n')
    for each in tools.iterdir():
        each.chmod(0o755)
    made = Folder(tmp_path)
    made.program("old", "runtime", "exit 0")
    return made


def test_the_program_takes_the_place_of_the_script(folder: Folder) -> None:
    """A service manager's main process is the agent itself, and gets its signals and its status."""
    (folder.path / "runtime/keyturn-agent").write_text('#!/bin/sh\necho "$$" >started\nexit 4\n')
    process = folder.start()
    assert process.wait(60) == 4
    assert folder.started == [str(process.pid)]


def test_a_newer_program_is_started_with_the_same_words_and_kept_once_it_was_answered(folder: Folder) -> None:
    folder.program("new", "next", GOOD)
    assert folder.run() == 0
    assert folder.started == ["new run a b"]
    folder.run()
    assert folder.started[1:] == ["new run a b"]
    assert "next" not in folder.holds


@pytest.mark.parametrize("body", [FAILS, GIVES_UP])
def test_one_that_ends_is_started_three_times_and_given_back(folder: Folder, body: str) -> None:
    """Whatever its status: after 78 a service manager would start nothing more."""
    folder.program("new", "next", body)
    assert folder.run() == 0
    assert folder.started == ["new run a b"] * 3 + ["old run a b"]
    assert folder.holds == {"runtime", "went-back"}


def test_one_that_hangs_is_given_back_after_its_time(folder: Folder) -> None:
    folder.program("new", "next", HANGS)
    assert folder.run(seconds=5) == 0
    assert folder.started == ["new run a b", "old run a b"]
    assert folder.holds == {"runtime", "went-back"}


def test_one_that_cannot_be_run_at_all_is_given_back(folder: Folder) -> None:
    folder.program("new", "next", GOOD)
    (folder.path / "next/keyturn-agent").write_bytes(b"\x7fELF and nothing more")
    assert folder.run() == 0
    assert folder.started == ["old run a b"]


def test_being_stopped_on_trial_is_no_failure(folder: Folder) -> None:
    folder.program("new", "next", "trap 'exit 7' TERM; echo >ready; sleep 60000 & wait")
    for _ in range(5):
        (folder.path / "ready").unlink(missing_ok=True)
        process = folder.start(seconds=100_000)
        ends = time.monotonic() + 60
        while not (folder.path / "ready").exists():
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.01)
        process.terminate()
        assert process.wait(60) == 0
    assert set(folder.started) == {"new run a b"}
    assert "runtime.kept" in folder.holds


@pytest.mark.parametrize(("body", "starts", "stays"), [(GOOD, 2, "new"), (FAILS, 1, "old")])
def test_a_kill_at_any_step_leaves_a_program_that_starts(folder: Folder, body: str, starts: int, stays: str) -> None:
    """Each step in turn is the last one that this start takes; the next starts go on from there."""
    base = folder.path
    for cut in range(1, 60):
        for name in folder.holds:
            shutil.rmtree(base / name) if (base / name).is_dir() else (base / name).unlink()
        (base / "started").unlink(missing_ok=True)
        folder.program("old", "runtime", "exit 0")
        folder.program("new", "next", body)
        killed = folder.run(cut=cut, starts=starts) < 0
        for _ in range(2):
            assert folder.run(starts=starts) == 0, cut
        assert folder.started[-1] == f"{stays} run a b", cut
        assert "next" not in folder.holds
        assert not (base / "trial").exists()
        if not killed:
            assert cut > 5, "the steps are seen"
            return
    pytest.fail("the script takes no end of steps")
