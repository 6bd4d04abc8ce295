"""What a person types on a host: the installer's verbs, from the package's folder and from the installed copy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from libs.client import models
from tests.e2e.site import FOLDER, Site
from tests.lab.first_state import Init
from tests.lab.host import Host

PYTHON = ("/usr/bin/python3", "/usr/bin/python3.11", "/usr/lib/python3", "/usr/lib/python3.11", "/usr/local")
INSTALLED = "/opt/keyturn-agent"
AGENT = f"{INSTALLED}/runtime/keyturn-agent"
CONF = "/etc/keyturn-agent/agent.conf"
STATE = "/var/lib/keyturn-agent"


def verb(host: Host, words: str, *, at: str = FOLDER, patience: int = 60) -> tuple[int, str]:
    """The installer's exit status and all that it said."""
    line = f'cd / && umask 077 && KEYTURN_PATIENCE={patience} sh "{at}/installAgent-service.sh" {words}'
    done = host.run(["sh", "-c", line], text=True, check=False, timeout=180)
    return done.returncode, done.stdout + done.stderr


def unpack(site: Site, host: Host) -> None:
    """A newly built package in its folder on the host, as an unzip under umask 077 leaves it."""
    host.run(["mkdir", "-p", FOLDER])
    host.put(site.package(f"{host.name}.zip"), f"{FOLDER}/package.zip")
    host.run(["sh", "-c", f'cd "{FOLDER}" && umask 077 && unzip -qo package.zip && chmod -R a-x,u+X .'], timeout=120)


@contextmanager
def booted(site: Site, name: str, init: Init = Init.SYSTEMD, *, python: bool = True) -> Iterator[Host]:
    """A further host that is on; gone afterwards."""
    host = site.lab.host(name, init=init, hide=() if python else PYTHON)
    try:
        yield host.boot()
    finally:
        host.down()


def agent_of(site: Site, host: Host) -> models.Agent:
    """The agent of a host as people see it."""
    return next(each for each in site.client.agents() if each.resource.name == host.name)


@dataclass(frozen=True)
class Listing:
    """Every file of a host, by path, kind, owner and mode; and the paths that its own disk has, or took away."""

    lines: frozenset[str]
    own: frozenset[str]


def listing(host: Host) -> Listing:
    """As it is now; what the host's own programs write by themselves is left out."""
    command = ["find", "/", "-xdev", "-printf", "%y %m %u %p\\n"]
    found = host.run(command, text=True, check=False).stdout + host.run(["ls", "-A", "/run"], text=True).stdout
    aside = re.compile(
        r" /var/log/journal| /var/lib/systemd/| /etc/\.pwd\.lock$| /etc/lab|/random-seed| /var/lib/private"
    )
    return Listing(frozenset(line for line in found.splitlines() if not aside.search(line)), host.own_paths())


def traces(before: Listing, after: Listing) -> set[str]:
    """What the host's disk has now and had not, or the other way round.

    Below its disk lies the root of the machine that the tests run on, where others write meanwhile.
    """
    own = before.own | after.own
    lines = {line: line.partition(" /") for line in before.lines ^ after.lines}
    return {line for line, (_, found, path) in lines.items() if not found or f"/{path}" in own}
