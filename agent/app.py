"""The command `keyturn-agent`: run the agent, check its configuration, say how it is, test this host.

Exit status: 0 well; 1 not well, with one sentence; 2 wrong use; 4 not well, and so until somebody acts; 78 the
configuration or the package is wrong.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from agent.apply import Worker
from agent.backends.crypt import CryptUnavailableError
from agent.backends.linux_local import open_linux_local
from agent.backends.preflight import examine
from agent.config import AgentConfig, ConfigError, check_config, load_config
from agent.doctor.examination import Examination
from agent.doctor.page import page, well
from agent.enrolment import NoTokenError
from agent.farewell import Farewell, RevokedError, read_kept
from agent.follower import Follower
from agent.following import Trust
from agent.host.children import on_path
from agent.host.facts import read_facts
from agent.host.lock import AgentRunningError, HostLock
from agent.host.status import read_status, sentence
from agent.identity import Identity, IdentityError
from agent.journal import Journal, JournalError
from agent.leaving import Departure, NotLeftError
from agent.log import Log
from agent.log_file import Kept
from agent.memory import Memory
from agent.moving import Moving, place_of
from agent.pace import Pace
from agent.report import Told
from agent.service import Agent
from agent.transport import Transport, wall_clock
from agent.trust import Package, PackageError
from agent.upgrade.program import Program
from agent.upgrade.upgrading import TurnError, Upgrade, Upgrading
from agent.version import VERSION
from agent.watch import Watch
from libs.wire.steps import arm

EX_STUCK = 4
EX_CONFIG = 78
CONF = Path("/etc/keyturn-agent/agent.conf")
PACKAGE = Path("/opt/keyturn-agent")
STATE = Path("/var/lib/keyturn-agent")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.act(asked))
    except (ConfigError, PackageError, IdentityError) as error:
        print(error, file=sys.stderr)
        return EX_CONFIG
    except RevokedError as error:
        print(error, file=sys.stderr)
        return EX_STUCK
    except (JournalError, AgentRunningError, NoTokenError, CryptUnavailableError, NotLeftError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keyturn-agent", description="The Keyturn agent.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, act, what in (
        ("run", _run, "run the agent in the foreground"),
        ("check-config", _check, "say what is wrong in agent.conf"),
        ("status", _status, "say whether the server answers the agent"),
        ("self-test", _self_test, "say whether passwords can be set on this host"),
        ("doctor", _doctor, "look at everything that the agent needs, and say what to do"),
        ("leave", _leave, "hand over what only this machine knows, and tell the server that the agent leaves"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("--conf", type=Path, default=CONF, metavar="FILE")
        command.add_argument("--package", type=Path, default=PACKAGE, metavar="FOLDER")
        command.add_argument("--state", type=Path, default=STATE, metavar="FOLDER")
        command.set_defaults(act=act)
        if act is _leave:
            command.add_argument("--seconds", type=float, default=30.0, help="how long to try")
        if act is _run:
            command.add_argument("--log", type=Path, metavar="FILE", help="log here instead of on standard error")
    return parser


def _check(asked: argparse.Namespace) -> int:
    wrong = check_config(asked.conf)
    for line in wrong:
        print(line)
    return EX_CONFIG if wrong else 0


def _status(asked: argparse.Namespace) -> int:
    status = read_status(asked.state)
    if status is None and (revoked := read_kept(asked.state)) is not None:
        print(revoked.sentence)
        return EX_STUCK
    well, text = sentence(status)
    print(text)
    if well:
        return 0
    return EX_STUCK if status is not None and status.needs_a_person else 1


def _self_test(_: argparse.Namespace) -> int:
    open_linux_local()
    if not on_path("chpasswd"):
        print("this host has no chpasswd, which sets passwords")
        return 1
    obstacle = examine(Path("/"))
    said = f"{obstacle.reason}: {obstacle.sentence}" if obstacle else "passwords can be set on this host"
    print(said)
    return 1 if obstacle else 0


def _doctor(asked: argparse.Namespace) -> int:
    found = Examination(asked.conf, asked.package, asked.state).findings()
    print(page(found))
    return 0 if well(found) else 1


def _run(asked: argparse.Namespace) -> int:
    arm(os.environ)
    config = load_config(asked.conf)
    package = Package.load(asked.package)
    with HostLock():
        identity = Identity(asked.state)
        with Journal(asked.state / "journal") as journal:
            log = Log(config.log_level) if asked.log is None else Log(config.log_level, Kept(asked.log))
            agent = _composed(config, package, identity, journal, state=asked.state, log=log)
            agent.upgrade = _upgrade(agent, Program(asked.package, asked.conf), asked.state)
            asyncio.run(_until_asked(agent))
    return 0


def _leave(asked: argparse.Namespace) -> int:
    config, package = load_config(asked.conf), Package.load(asked.package)
    with HostLock():
        identity = Identity(asked.state)
        with Journal(asked.state / "journal") as journal:
            agent = _composed(config, package, identity, journal, state=asked.state, log=Log("error"))
            departure = Departure(asked.state, identity, agent.memory, agent, asyncio.sleep, time.monotonic)
            print(asyncio.run(_left(departure, agent, asked.seconds)))
    return 0


async def _left(departure: Departure, agent: Agent, seconds: float) -> str:
    try:
        return await departure.leave(seconds)
    finally:
        await agent.transport.close()


def _composed(
    config: AgentConfig, package: Package, identity: Identity, journal: Journal, *, state: Path, log: Log
) -> Agent:
    trust, start = Trust(package, state), place_of(config)
    transport = Transport(
        server=start.name,
        port=start.port,
        tls=trust.tls(config.trust_file),
        proxy=config.proxy,
        version=VERSION,
    )
    memory, backend = Memory(journal), open_linux_local()
    told = Told(state, str(start), wall_clock)
    follower = Follower(trust, transport, config.trust_file, log)
    return Agent(
        config=config,
        package=package,
        identity=identity,
        transport=transport,
        follower=follower,
        moving=Moving(start, follower, told, log),
        memory=memory,
        worker=Worker(backend, memory, identity.keys, transport),
        watch=Watch(backend, memory, identity),
        farewell=Farewell(state, identity, trust),
        told=told,
        pace=Pace(ceiling=float(max(config.schedule_interval, 5))),
        log=log,
        version=VERSION,
        host_name=read_facts(Path("/")).hostname,
        trial=partial(examine, Path("/")),
    )


async def _until_asked(agent: Agent) -> None:
    """Runs until a signal asks to stop, or a newer program waits.

    A job in hand is finished by the next start: its intent is in the journal.
    """
    if (untidy := agent.memory.tidy()) is not None:
        agent.log.say("the journal stays as long as it is", why=untidy)
    agent.log.say("started", server=str(agent.moving.start), version=VERSION)
    living = asyncio.ensure_future(agent.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, living.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError, TurnError):
            await living
    finally:
        await agent.transport.close()
        agent.log.say("stopped")


def _upgrade(agent: Agent, program: Program, state: Path) -> Upgrade:
    """Staying current, where the program was installed so that it can be turned."""
    if not program.turns:
        return Upgrade()
    return Upgrading(
        program=program,
        trust=agent.follower.trust,
        state=state,
        window=agent.config.upgrade_window,
        log=agent.log,
        version=VERSION,
        interval=float(agent.config.schedule_interval),
        takes=agent.config.upgrade,
        clock=wall_clock,
        tick=time.monotonic,
    )
