"""A failpoint does nothing unless it is armed and its file names this very step, and then once."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.wire.steps import VARIABLE, Step, StepFailedError, arm, step


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """The armed file, not there yet."""
    named = tmp_path / "failpoint"
    arm({VARIABLE: str(named)})
    yield named
    arm({})


def test_nothing_happens_without_the_variable(tmp_path: Path) -> None:
    arm({})
    (tmp_path / "failpoint").write_text("relay.found fail")
    step(Step.RELAY_FOUND)


def test_nothing_happens_without_the_file_or_at_another_step(file: Path) -> None:
    step(Step.RELAY_FOUND)
    file.write_text("relay.confirmed fail\n")
    step(Step.RELAY_FOUND)
    assert file.exists()


def test_it_happens_once(file: Path) -> None:
    file.write_text("relay.found fail\n")
    with pytest.raises(StepFailedError, match=r"relay\.found"):
        step(Step.RELAY_FOUND, "task.requested")
    assert not file.exists()
    step(Step.RELAY_FOUND, "task.requested")


def test_what_is_told_apart(file: Path) -> None:
    file.write_text("relay.found:task.reported fail\n")
    step(Step.RELAY_FOUND, "task.requested")
    with pytest.raises(StepFailedError):
        step(Step.RELAY_FOUND, "task.reported")


@pytest.mark.parametrize(("action", "status"), [("kill", -signal.SIGKILL), ("pause 0.01", 0)])
def test_it_kills_and_pauses(tmp_path: Path, action: str, status: int) -> None:
    named = tmp_path / "failpoint"
    named.write_text(f"agent.fetched {action}\n")
    script = "import os; from libs.wire.steps import Step, arm, step; arm(os.environ); step(Step.AGENT_FETCHED)"
    done = subprocess.run([sys.executable, "-c", script], env={VARIABLE: str(named)}, check=False)
    assert done.returncode == status
    assert not named.exists()
