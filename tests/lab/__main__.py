"""The lab for people: `python -m tests.lab up NAME`, then `run NAME COMMAND...`, and `down NAME` or `close` in the end.

Hosts stay up when the command has ended, until they are put down. `--lab FOLDER` names another lab than
build/lab/people, so one can look into a lab that the demo or a test raised.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.host import Host
from tests.lab.lab import Lab

_FOLDER = Path(__file__).resolve().parents[2] / "build/lab/people"
_POWER: dict[str, tuple[Callable[[Host], object], str]] = {
    "boot": (Host.boot, "boot it again from its disk"),
    "stop": (Host.stop, "kill everything on it; its disk keeps every write"),
    "power-cut": (Host.power_cut, "pull the plug: writes that were not yet synced are lost"),
    "snapshot": (Host.snapshot, "keep its disk as it is now"),
    "rollback": (Host.rollback, "put the kept disk back; the host must be off"),
    "down": (Host.down, "switch it off and forget it"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description="Real Linux servers on this machine.")
    parser.add_argument(
        "--lab", type=Path, default=_FOLDER, metavar="FOLDER", help="the lab's folder (build/lab/people)"
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="make a host if need be and boot it")
    up.add_argument("name")
    up.add_argument("number", type=int, nargs="?", help="the end of its address, 2 to 250")
    run = verbs.add_parser("run", help="run a command on a host, as root")
    run.add_argument("name")
    run.add_argument("command", nargs=argparse.REMAINDER, help="by default a shell")
    for verb, (_, help_) in _POWER.items():
        verbs.add_parser(verb, help=help_).add_argument("name")
    verbs.add_parser("list", help="the lab's hosts")
    verbs.add_parser("close", help="take the whole lab away")
    return parser


def _known(lab: Lab, name: str) -> Host:
    for host in lab.join().hosts():
        if host.name == name:
            return host
    raise LabError(f"The lab in {lab.folder} has no host {name}: up {name} makes it.")


def main(arguments: list[str]) -> int:
    asked = _parser().parse_args(arguments)
    lab = Lab(asked.lab)
    if (sentence := lab.available()) is not None:
        raise LabError(sentence)
    match asked.verb:
        case "up":
            host = (lab if lab.stands else lab.claim()).host(asked.name, asked.number).boot()
            print(f"{host.name} is up at {host.address}; this machine is {lab.address}.")
        case "run":
            host = _known(lab, asked.name)
            command = host.command(asked.command or ["bash", "-l"])
            os.execve(command[0], command, host.environment | {"TERM": os.environ.get("TERM", "dumb")})  # noqa: S606 - it becomes it
        case "list":
            for host in lab.hosts():
                print(f"{host.name}\t{host.address if lab.stands else '-'}\t{'on' if host.is_on else 'off'}")
        case "close":
            lab.close()
        case verb:
            _POWER[verb][0](_known(lab, asked.name))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(str(error))
