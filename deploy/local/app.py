"""The command line of the embedded default: run, up, down, status."""

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from deploy.local import locks
from deploy.local.deployment import ROOT, Deployment
from deploy.local.errors import LocalError, NotUpError, StartError
from deploy.local.processes import log_tail
from deploy.local.supervision import watch

STANDARD_PORT = 7272
UP_SECONDS = 300.0
DOWN_SECONDS = 60.0
# What the background supervisor needs to fetch missing parts.
PASSED_ON = ("PATH", "HOME", "http_proxy", "https_proxy", "no_proxy", "APT_CONFIG", "PIP_INDEX_URL", "PIP_CONFIG_FILE")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 failed, 3 not up."""
    words = parse(arguments)
    try:
        return {"run": run, "up": up, "down": down, "status": status}[words.command](words)
    except NotUpError as error:
        say(str(error))
        return 3
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description="The embedded default of Keyturn.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "run": "start everything and stay in the foreground until Ctrl-C",
        "up": "start everything in the background",
        "down": "stop what `up` started",
        "status": "say what is up",
    }.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--state", type=Path, default=ROOT / "build" / "local", help="the folder of all state")
        if name in {"run", "up"}:
            command.add_argument(
                "--listen",
                default="127.0.0.1:0",
                help="where the gateway listens: host:port,... ; port 0 is 7272, or a free one where that is taken",
            )
            command.add_argument("--name", action="append", default=[], help="a further name for its certificate")
            command.add_argument(
                "--parts-only", action="store_true", help="broker and store alone, without keys and services"
            )
    return parser.parse_args(arguments)


def say(sentence: str) -> None:
    print(sentence, flush=True)


def run(words: argparse.Namespace) -> int:
    """Stays in the foreground; Ctrl-C, SIGTERM and SIGHUP end it in order."""
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in asked:
            signal.signal(number, signal.SIG_IGN)  # Once asked is enough: the way down is not interrupted.
        raise KeyboardInterrupt

    for number in asked:
        signal.signal(number, interrupt)
    options: dict[str, Any] = {"services": ()} if words.parts_only else {}
    deployment = Deployment(
        words.state,
        listen=words.listen.split(","),
        names=words.name,
        prefer_port=STANDARD_PORT,
        say=say,
        **options,
    )
    try:
        with deployment:
            say(summary(read_run_file(words.state)))
            watch(deployment, say)
    except KeyboardInterrupt:
        say("Stopped. Nothing is left running.")
    return 0


def up(words: argparse.Namespace) -> int:
    """Starts `run` in a session of its own and returns when it is up."""
    state = words.state.resolve()
    if locks.holder(state / "lock") is not None and (state / "run.json").exists():
        say("It is up already.\n" + summary(read_run_file(state)))
        return 0
    log = state / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [sys.executable, "-m", "deploy.local", "run", "--state", state, "--listen", words.listen]
    for name in words.name:
        command += ["--name", name]
    if words.parts_only:
        command.append("--parts-only")
    environment = {"LANG": "C.UTF-8"} | {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    log.unlink(missing_ok=True)
    with log.open("a") as output:
        supervisor = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until_up(state, supervisor, log)
    except BaseException:
        supervisor.terminate()
        supervisor.wait()
        raise
    supervisor.returncode = 0  # It goes on without us, which is no accident that a warning should tell.
    say(summary(read_run_file(state)))
    return 0


def wait_until_up(state: Path, supervisor: subprocess.Popen[bytes], log: Path) -> None:
    """Waits for the run file of this very supervisor. Raises StartError with the end of its log."""
    end = time.monotonic() + UP_SECONDS
    while not is_described(state, supervisor.pid):
        if supervisor.poll() is not None:
            raise StartError(f"It did not come up.\n{log_tail(log)}")
        if time.monotonic() > end:
            raise StartError(f"It was not up within {UP_SECONDS:.0f} s; see {log}.")
        time.sleep(0.1)


def is_described(state: Path, supervisor: int) -> bool:
    path = state / "run.json"
    return path.exists() and json.loads(path.read_text())["supervisor"] == supervisor


def down(words: argparse.Namespace) -> int:
    """Ends the supervisor of a state and waits until its last process is gone."""
    lock = words.state / "lock"
    supervisor = locks.holder(lock)
    if supervisor is None:
        raise NotUpError(f"Nothing is up on {words.state}.")
    ended = exit_of(supervisor)
    for number, seconds in ((signal.SIGTERM, DOWN_SECONDS), (signal.SIGKILL, DOWN_SECONDS)):
        try:
            os.kill(supervisor, number)
        except ProcessLookupError:
            say("The supervisor is gone already; its keepers are ending the rest.")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            # The lock is free some moments before the process that held it has ended.
            if locks.holder(lock) is None and ended():
                say("Everything is down. Nothing is left running; the state is kept.")
                return 0
            time.sleep(0.1)
    raise StartError(f"Process {supervisor} holds {words.state} and cannot be ended.")


def exit_of(pid: int) -> Callable[[], bool]:
    """Tells whether this very process has ended, also where its number is another one's by then."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return lambda: True
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return lambda: bool(waiting.poll(0))


def status(words: argparse.Namespace) -> int:
    if locks.holder(words.state / "lock") is None:
        raise NotUpError(f"Nothing is up on {words.state}.")
    say(summary(read_run_file(words.state)))
    return 0


def read_run_file(state: Path) -> dict[str, Any]:
    path = state / "run.json"
    if not path.exists():
        raise NotUpError(f"{state} is on its way up or down.")
    described: dict[str, Any] = json.loads(path.read_text())
    return described


def summary(described: dict[str, Any]) -> str:
    """What is up, in plain words."""
    lines = []
    if "gateway" in described:
        lines += [f"Keyturn is up: {described['gateway']}", f"  authority    {described['ca_file']}"]
        if Path(described["setup_code_file"]).exists():
            lines.append(f"  set-up code  in {described['setup_code_file']}, for the first person")
    else:
        lines.append("Broker and store are up.")
    lines += [
        f"  broker       {described['broker']['url']} (process {described['broker']['pid']})",
        f"  store        {described['store']['url']} (process {described['store']['pid']})",
    ]
    for name, service in described["services"].items():
        lines.append(f"  {name:<12} health at {service['health']} (process {service['pid']})")
    lines.append(f"  logs         {described['logs']}")
    return "\n".join(lines)
