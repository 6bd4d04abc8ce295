"""Broker and store as one deployment: two at once, one state at a time, and nothing left, however it ends."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import aio_pika
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local import broker, locks, store
from deploy.local.deployment import Deployment
from deploy.local.errors import StateInUseError
from tests.integration.local.leftovers import leftovers

pytestmark = pytest.mark.real

Popen: TypeAlias = subprocess.Popen[str]

COMMAND = (sys.executable, "-m", "deploy.local")


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end, "it did not happen within two minutes"
        time.sleep(0.05)


def deploy(command: str, state: Path, root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs one command of the deployment to its end, with a cleared environment."""
    return subprocess.run(
        [*COMMAND, command, "--state", state, *words],
        cwd=root,
        env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def described(state: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((state / "run.json").read_text())
    return found


@pytest.fixture
def running(parts_folder: Path, root: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, Popen]]:
    """A supervisor in the foreground, up, on a state of its own."""
    state = parts_folder / request.node.name
    supervisor = subprocess.Popen(
        [*COMMAND, "run", "--parts-only", "--state", state],
        cwd=root,
        env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    with supervisor:
        until(lambda: (state / "run.json").exists() or supervisor.poll() is not None)
        assert supervisor.poll() is None
        yield state, supervisor
        supervisor.kill()
    until(lambda: leftovers(state) == [])


def test_nothing_is_left_after_a_ctrl_c(running: tuple[Path, Popen]) -> None:
    state, supervisor = running
    assert any("epmd" in line for line in leftovers(state))
    supervisor.send_signal(signal.SIGINT)
    supervisor.send_signal(signal.SIGINT)  # A second one, of the impatient, changes nothing.
    output, _ = supervisor.communicate(timeout=120)
    assert supervisor.returncode == 0
    assert "Nothing is left running." in output
    assert leftovers(state) == []
    assert not (state / "run.json").exists()


def test_nothing_is_left_after_the_supervisor_was_killed_and_the_state_starts_again(
    running: tuple[Path, Popen], root: Path
) -> None:
    state, supervisor = running
    url = described(state)["store"]["url"]
    connection: MongoClient[dict[str, Any]] = MongoClient(url, w="majority", journal=True)
    with connection:
        connection["one"]["things"].insert_one({"_id": "kept"})
    supervisor.kill()
    supervisor.wait()
    until(lambda: locks.holder(state / "lock") is None)
    assert leftovers(state) == []

    up = deploy("up", state, root, "--parts-only")
    assert up.returncode == 0, up.stderr
    assert "Broker and store are up." in up.stdout
    connection = MongoClient(described(state)["store"]["url"])
    with connection:
        assert connection["one"]["things"].find_one({"_id": "kept"}) is not None
    assert deploy("status", state, root).returncode == 0
    assert "up already" in deploy("up", state, root, "--parts-only").stdout

    os.kill(described(state)["store"]["pid"], signal.SIGKILL)
    supervisor_log = state / "logs" / "supervisor.log"
    until(lambda: "The store has ended; starting it again." in supervisor_log.read_text())

    down = deploy("down", state, root)
    assert down.returncode == 0, down.stderr
    assert "Nothing is left running" in down.stdout
    assert leftovers(state) == []
    again = deploy("down", state, root)
    assert (again.returncode, again.stdout) == (3, f"Nothing is up on {state}.\n")


async def test_two_at_once_do_not_meet_and_one_state_has_one_supervisor(parts_folder: Path) -> None:
    states = [parts_folder / "twin-one", parts_folder / "twin-two"]
    async with Deployment(states[0], services=()) as one, Deployment(states[1], services=()) as two:
        taken = [one.broker.port, one.store.port, two.broker.port, two.store.port]
        assert len(set(taken)) == 4
        for each in (one, two):
            assert broker.greets(each.broker.port)
            assert store.greets(each.store.port)
            assert sorted(path.name for path in each.logs.iterdir()) == ["broker.log", "epmd.log", "store.log"]
        with pytest.raises(StateInUseError, match=f"twin-one is in use: process {os.getpid()} runs on it"):
            locks.take(states[0] / "lock", seconds=0)
        one.start_process("further", ["/bin/sleep", "600"], environment={})
        await asyncio.to_thread(two.broker.kill)
        assert one.broker.alive
        assert broker.greets(one.broker.port)
    for state in states:
        assert leftovers(state) == []
        assert not (state / "run.json").exists()


async def test_a_start_that_is_given_up_leaves_nothing(parts_folder: Path) -> None:
    state = parts_folder / "given-up"
    starting = asyncio.ensure_future(Deployment(state, services=()).__aenter__())
    await asyncio.to_thread(until, lambda: leftovers(state) != [])
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert leftovers(state) == []


async def test_the_first_start_makes_keys_and_users_and_the_next_one_takes_them_over(parts_folder: Path) -> None:
    state = parts_folder / "secured"
    keys = []
    for _ in range(2):
        async with Deployment(state, services=(), secured=True) as deployment:
            folder = deployment.keys / "scheduler"
            keys.append((folder / "task.key").read_bytes())
            with (
                MongoClient[dict[str, Any]](deployment.store.url) as nobody,
                pytest.raises(OperationFailure, match="requires authentication"),
            ):
                nobody["vault"]["accounts"].find_one()
            password = (folder / "store_password").read_text().strip()
            with MongoClient[dict[str, Any]](deployment.store.url, username="scheduler", password=password) as known:
                assert known["vault"]["accounts"].find_one() is None
                with pytest.raises(OperationFailure, match="not authorized"):
                    known["people"]["users"].find_one()
            password = (folder / "broker_password").read_text().strip()
            url = deployment.broker.address.replace("//", f"//scheduler:{quote(password)}@")
            async with await aio_pika.connect(url) as connection:
                assert not connection.is_closed
    assert keys[0] == keys[1]
    assert leftovers(state) == []
