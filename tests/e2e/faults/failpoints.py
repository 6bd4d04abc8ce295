"""Telling one process of the ground what happens to it at a step named in the code."""

from pathlib import Path
from typing import Protocol

from libs.wire.steps import VARIABLE
from tests.e2e.site import Site

ON_HOST = "/run/keyturn-failpoint"
_DROP_IN = "/etc/systemd/system/keyturn-agent.service.d/faults.conf"


class Failpoint(Protocol):
    """One process's file."""

    def arm(self, line: str) -> None: ...

    def disarm(self) -> None: ...

    def is_armed(self) -> bool:
        """Whether the step was not reached yet."""
        ...


class OnServer:
    """The file of one service."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def setting(self) -> dict[str, str]:
        return {VARIABLE: str(self._path)}

    def arm(self, line: str) -> None:
        aside = self._path.with_suffix(".new")
        aside.write_text(f"{line}\n")
        aside.rename(self._path)

    def disarm(self) -> None:
        self._path.unlink(missing_ok=True)

    def is_armed(self) -> bool:
        return self._path.exists()


class OnHost:
    """The agent's file. It lies in /run, so it is gone when the host was off."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def install(self) -> None:
        """The unit's own variable, and no five seconds between the agent's end and its next start."""
        lines = f"[Service]\nEnvironment={VARIABLE}={ON_HOST}\nRestartSec=200ms\n"
        host = self._site.host
        host.run(["mkdir", "-p", str(Path(_DROP_IN).parent)])
        host.write(_DROP_IN, lines.encode())
        host.run(["systemctl", "daemon-reload"])
        self._site.agent("restart")
        host.sync()

    def arm(self, line: str) -> None:
        self._site.host.run(["sh", "-c", f'printf "%s\\n" "{line}" >{ON_HOST}.new && mv {ON_HOST}.new {ON_HOST}'])

    def disarm(self) -> None:
        if self._site.host.is_on:
            self._site.host.run(["rm", "-f", ON_HOST])

    def is_armed(self) -> bool:
        return self._site.host.run(["test", "-e", ON_HOST], check=False).returncode == 0
