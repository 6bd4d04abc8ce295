"""The whole examination: everything is looked at once, here, and judged in the modules beside this one."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.backends import account_lock, preflight
from agent.backends.crypt import CryptUnavailableError
from agent.backends.linux_local import open_linux_local
from agent.backends.ports import Busy
from agent.config import AgentConfig, ConfigError, load_config
from agent.doctor import accounts, admission, host, server
from agent.doctor.call import call
from agent.doctor.finding import Finding
from agent.farewell import read_kept
from agent.following import Trust
from agent.host.children import clean_environment, on_path
from agent.host.status import Status, read_status
from agent.moving import place_of
from agent.transport import wall_clock
from agent.trust import Package, PackageError
from libs.wire.troubles import Trouble

_NAME: Final = "keyturn-agent"
_SELINUX: Final = Path("/sys/fs/selinux/enforce")


@dataclass(frozen=True)
class Examination:
    """Of the agent with these files on this host. It changes nothing, and goes on where something is broken."""

    conf: Path
    package: Path
    state: Path

    def findings(self) -> list[Finding]:
        """In the order in which a person would look."""
        status = read_status(self.state)
        return [*self._settings(status), *accounts.findings(self._ground(status)), *host.findings(self._place(status))]

    def _settings(self, status: Status | None) -> list[Finding]:
        try:
            config = load_config(self.conf)
        except ConfigError as error:
            return [Finding("settings", str(each), Trouble.SETTINGS_WRONG) for each in error.problems]
        found = [Finding("settings", f"{self.conf} is right")]
        try:
            package = Package.load(self.package)
            trust = Trust(package, self.state)
            place = trust.leads(place_of(config))[-1]
            found += server.findings(call(place, config.proxy, trust.tls(config.trust_file), wall_clock))
        except PackageError as error:
            return [*found, Finding("package", str(error), Trouble.PACKAGE_DAMAGED)]
        return found + admission.findings(self._standing(config, package, status))

    def _standing(self, config: AgentConfig, package: Package, status: Status | None) -> admission.Standing:
        revoked = read_kept(self.state)
        token, wrong = False, ""
        try:
            token = package.token() is not None
        except PackageError as error:
            wrong = str(error)
        return admission.Standing(
            user_name=config.user_name,
            agent=_agent_in(self.state / "identity.json"),
            token=token,
            token_error=wrong,
            said="" if status is None else status.problem or "",
            revoked="" if revoked is None else revoked.sentence,
        )

    def _ground(self, status: Status | None) -> accounts.Ground:
        """As the agent sees the host where it runs, through its own root, and as it would see it after a restart: its
        service may be in a sandbox.
        """
        process = "self" if status is None else str(status.pid)
        facts = _facts(Path("/proc") / process / "status")
        root = Path("/proc") / process / "root"
        wrong = ""
        try:
            open_linux_local()
        except CryptUnavailableError as error:
            wrong = str(error)
        return accounts.Ground(
            user=int(facts.get("Uid", "0 0").split()[1]),
            capabilities=int(facts.get("CapEff", "0"), 16),
            has_tool=on_path("chpasswd"),
            crypt_error=wrong,
            obstacle=preflight.examine(root) or preflight.examine(Path("/")),
            busy=_busy(Path("/etc/.pwd.lock")),
        )

    def _place(self, status: Status | None) -> host.Place:
        labels = None
        if _SELINUX.exists():
            labels = _labels(self.package / "runtime" / _NAME, Path("/etc/shadow"))
        if Path("/run/systemd/system").is_dir():
            # Where systemd cannot be asked, the disk and the agent itself say what they know.
            shown = _systemd() or {
                "LoadState": "loaded" if Path(f"/etc/systemd/system/{_NAME}.service").exists() else "not-found",
                "ActiveState": "inactive" if status is None else "active",
                "ExecMainStatus": "not known, because systemctl does not answer",
            }
            return host.Place(
                state=str(self.state),
                free_bytes=_free(self.state),
                service="systemd",
                installed=shown.get("LoadState") == "loaded",
                running=shown.get("ActiveState") == "active",
                service_said=f"{shown.get('ActiveState')}, exit status {shown.get('ExecMainStatus')}",
                labels=labels,
            )
        script = Path("/etc/init.d") / _NAME
        return host.Place(
            state=str(self.state),
            free_bytes=_free(self.state),
            service="SysV init" if script.exists() else "its own keeper",
            installed=(self.package / "service/keep.sh").exists(),
            running=status is not None,
            labels=labels,
        )


def _busy(lock: Path) -> Busy | None:
    try:
        return account_lock.asked(lock)
    except OSError:
        return None  # what keeps this from being opened is told of the account files


def _agent_in(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text("utf-8"))["agent"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _facts(path: Path) -> Mapping[str, str]:
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _free(folder: Path) -> int | None:
    try:
        space = os.statvfs(folder)
    except OSError:
        return None
    return space.f_bavail * space.f_frsize


def _labels(*paths: Path) -> dict[str, str]:
    found = {}
    for path in paths:
        try:
            found[str(path)] = os.getxattr(path, "security.selinux").rstrip(b"\0").decode("ascii", "replace")
        except OSError:
            found[str(path)] = "unlabeled_t"
    return found


def _systemd() -> dict[str, str]:
    command = ["systemctl", "show", "-p", "LoadState,ActiveState,ExecMainStatus", f"{_NAME}.service"]
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, env=clean_environment(os.environ), capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
