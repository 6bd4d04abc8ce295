"""Facts, locks, processes and the status of a host."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.host.children import clean_environment
from agent.host.facts import read_facts
from agent.host.lock import AgentRunningError, HostLock
from agent.host.processes import birth_of, ended_within, kill
from agent.host.status import Status, read_status, sentence, write_status


def test_facts_come_from_the_hosts_files(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('ID=x\n# PRETTY_NAME="no"\nPRETTY_NAME="A B 12 (c)"\n')
    (tmp_path / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    facts = read_facts(tmp_path)
    assert facts.system == "A B 12 (c)"
    assert facts.libc.startswith("glibc 2.")
    assert len(facts.machine_hint) == 32
    assert "0123456789abcdef" not in facts.machine_hint
    (tmp_path / "etc/machine-id").write_text("1123456789abcdef0123456789abcdef\n")
    assert read_facts(tmp_path).machine_hint != facts.machine_hint


def test_a_host_that_says_nothing_has_facts_all_the_same(tmp_path: Path) -> None:
    facts = read_facts(tmp_path)
    assert facts.system == "Linux"
    assert facts.machine_hint == ""


def test_a_second_agent_is_refused_by_either_lock(tmp_path: Path) -> None:
    name = f"keyturn-test-{os.getpid()}"
    with HostLock(tmp_path / "one", name):
        with pytest.raises(AgentRunningError, match=f"process {os.getpid()} holds"):
            HostLock(tmp_path / "one", f"{name}-other")
        with pytest.raises(AgentRunningError, match=f"socket @{name}"):
            HostLock(tmp_path / "two", name)
    with HostLock(tmp_path / "one", name):
        pass


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic link"):
        HostLock(tmp_path / "one", f"keyturn-test-{os.getpid()}")
    assert not (tmp_path / "precious").exists()


def test_a_tools_environment_is_clean() -> None:
    packed = {"LD_LIBRARY_PATH": "/opt/packed", "LD_PRELOAD": "x", "HTTPS_PROXY": "y", "PATH": "/evil"}
    assert set(clean_environment(packed)) == {"PATH", "LC_ALL", "HOME"}
    assert "/evil" not in clean_environment(packed)["PATH"]
    assert clean_environment(packed | {"LD_LIBRARY_PATH_ORIG": "/host"})["LD_LIBRARY_PATH"] == "/host"


async def test_a_process_is_known_by_its_birth() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:  # noqa: ASYNC220
        birth = birth_of(child.pid)
        assert birth is not None
        assert 0 < birth < 2**48
        assert birth_of(child.pid) == birth
        kill(child.pid, birth + 1)
        assert not await ended_within(child.pid, birth, 0.1)
        assert await ended_within(child.pid, birth + 1, 0)
        kill(child.pid, birth)
        assert await ended_within(child.pid, birth, 10)
        # Dead but not reaped: its number is taken, but it can do nothing any more.
        assert birth_of(child.pid) is None
    assert child.returncode == -9


def test_running_is_said_only_after_an_answered_poll(tmp_path: Path) -> None:
    assert sentence(read_status(tmp_path)) == (False, "the agent is not running")
    birth = birth_of(os.getpid())
    assert birth is not None
    started = Status(os.getpid(), birth, "gw:7272", 1)
    write_status(tmp_path, started)
    assert read_status(tmp_path) == started
    assert sentence(started)[0] is False
    assert "has not answered" in sentence(started)[1]
    assert sentence(Status(1, 2, "gw:7272", 1, answered_at=5)) == (True, "the agent runs and gw:7272 answers it")
    assert sentence(Status(1, 2, "gw:7272", 1, answered_at=5, problem="port blocked"))[0] is False
    assert (tmp_path / "status.json").stat().st_mode & 0o777 == 0o600


def test_a_status_of_a_dead_agent_does_not_count(tmp_path: Path) -> None:
    write_status(tmp_path, Status(os.getpid(), 1, "gw:7272", 1, answered_at=5))
    assert read_status(tmp_path) is None
    (tmp_path / "status.json").write_text("{")
    assert read_status(tmp_path) is None
