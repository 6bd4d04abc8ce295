"""One host of a lab: its power switch, its disk, and a way onto it that needs no network."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, overload

from tests.lab import cgroups, first_state, processes, shadow
from tests.lab.disk import Disk
from tests.lab.errors import LabError
from tests.lab.first_state import UP, Init
from tests.lab.machine import PATH, tool
from tests.lab.names import Names
from tests.lab.network import NAMESPACES, Network
from tests.lab.process_one import Plan
from tests.lab.waiting import until

_CHECKOUT = Path(__file__).resolve().parents[2]
_ENVIRONMENT = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "USER": "root", "SHELL": "/bin/sh"}
_UP = ("running", "degraded")


class Host:
    """Made by `Lab.host`; off until `boot`. Commands and files need it on."""

    def __init__(
        self,
        home: Path,
        names: Names,
        network: Network,
        *,
        hide: Sequence[Path | str] = (),
        memory: int | None = None,
        init: Init = Init.SYSTEMD,
    ) -> None:
        self.name = home.name
        self._home, self._names, self._network, self._memory = home, names, network, memory
        self._hide = [str(path) for path in hide]
        self._init_program = init
        self._disk = Disk(home)

    @property
    def number(self) -> int:
        return int((self._home / "number").read_text())

    @property
    def address(self) -> str:
        gateway = self._network.address
        if gateway is None:
            raise LabError("The lab has no network: claim it first.")
        return f"{gateway.rpartition('.')[0]}.{self.number}"

    # Power

    @property
    def is_on(self) -> bool:
        return self._init() is not None

    def boot(self) -> "Host":
        """Boot and return when its init has started everything; on already, do nothing."""
        if self.is_on:
            return self
        self._off()
        self._disk.mount()
        try:
            self._prepare()
            self._network.wire(self.name, self.number)
            self._start()
            until(self._is_up, f"{self.name} does not come up", seconds=60)
        except Exception as error:
            error.add_note(self.console()[-2000:])
            self._off()
            raise
        return self

    def stop(self) -> None:
        """Kill everything on it at once; its disk keeps every write."""
        self._off()

    def power_cut(self) -> None:
        """Pull the plug: writes that were not yet synced are lost, and no open connection hears of it."""
        if self._disk.is_mounted:
            self._network.pull(self.number)
            self._disk.cut()
        self._off()

    def snapshot(self) -> None:
        """Keep its disk as it is now, on or off; it takes the place of the last snapshot."""
        self._disk.snapshot()

    def rollback(self) -> None:
        """Put the snapshot's disk back. The host must be off."""
        if self.is_on:
            raise LabError(f"{self.name} is on: stop it before its disk is put back.")
        self._off()
        self._disk.rollback()

    def down(self) -> None:
        """Switch it off and forget it, disk and all. A half-made host goes as well."""
        self._off()
        number = self._home / "number"
        self._network.unwire(self.name, self.number if number.exists() else None)
        for folder in list(cgroups.find(self._names)):
            if folder.name == self._names.host(self.name):
                cgroups.remove(folder)
        if self._home.exists():
            shutil.rmtree(self._home)

    # On the host

    def wired(self, command: Sequence[str]) -> list[str]:
        """The command line that runs a program of this machine with the host's network and nothing else of the host."""
        return [tool("nsenter"), f"--net={NAMESPACES / self._names.host(self.name)}", "--", *command]

    def command(self, command: Sequence[str]) -> list[str]:
        """The command line that runs `command` as root on the host, for a caller that starts processes itself."""
        init = self._init()
        if init is None:
            raise LabError(f"{self.name} is off: boot it first.")
        return [tool("nsenter"), "-t", str(init), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--", *command]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of commands on the host; nothing of the caller's own."""
        return dict(_ENVIRONMENT)

    @overload
    def run(
        self,
        command: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 60.0,
        check: bool = True,
        text: Literal[False] = False,
    ) -> subprocess.CompletedProcess[bytes]: ...

    @overload
    def run(
        self,
        command: Sequence[str],
        *,
        input: bytes | None = None,
        timeout: float = 60.0,
        check: bool = True,
        text: Literal[True],
    ) -> subprocess.CompletedProcess[str]: ...

    def run(
        self,
        command: Sequence[str],
        *,
        input: bytes | None = None,  # noqa: A002 - the word of subprocess.run
        timeout: float = 60.0,
        check: bool = True,
        text: bool = False,
    ) -> subprocess.CompletedProcess[bytes] | subprocess.CompletedProcess[str]:
        """Run a command as root on the host and capture its output; `text` decodes the output as UTF-8.

        Raises LabError when the host is off, and what subprocess.run raises when the command fails (`check`) or takes
        longer than `timeout` seconds; it is killed then.
        """
        line = self.command(command)
        feed = subprocess.DEVNULL if input is None else subprocess.PIPE
        # A session of its own, because nsenter forks: its child would outlive it when only nsenter is killed.
        with subprocess.Popen(
            line,
            stdin=feed,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(input, timeout)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if check and process.returncode != 0:
            failure = subprocess.CalledProcessError(process.returncode, list(command), out, err)
            failure.add_note(f"On {self.name}: {err.decode(errors='replace').strip()}")
            raise failure
        if text:
            return subprocess.CompletedProcess(list(command), process.returncode, out.decode(), err.decode())
        return subprocess.CompletedProcess(list(command), process.returncode, out, err)

    def write(self, remote: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file with its mode; the folder must be there. The content is never readable under a wider mode."""
        script = 'umask 077 && cat >"$1" && chmod "$2" "$1"'
        self.run(["sh", "-c", script, "sh", remote, f"{mode:o}"], input=content)

    def put(self, local: Path, remote: str) -> None:
        """Copy a file of the machine onto the host, with its mode."""
        with local.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o7777
            self.write(remote, file.read(), mode)

    def read(self, remote: str) -> bytes:
        return self.run(["cat", "--", remote]).stdout

    def processes(self) -> list[processes.Process]:
        """Everything that runs on the host now."""
        init = self._init()
        return [] if init is None else list(processes.of_host(init))

    def console(self) -> str:
        """What the host printed since it was made."""
        file = self._home / "console"
        return file.read_text(errors="replace") if file.exists() else ""

    def sync(self) -> None:
        """Write out everything that the host has written, its own disk only."""
        self._disk.sync()

    # Accounts

    def add_user(
        self, name: str, password: bytes | None = None, *, locked: bool = False, shell: str = "/bin/bash"
    ) -> None:
        """Add an account with a home, synced to disk. Without a password none opens it; `locked` locks it too."""
        self.run(["useradd", "--create-home", "--shell", shell, "--", name])
        if password is not None:
            self.run(["chpasswd"], input=name.encode() + b":" + password + b"\n")
        if locked:
            self.run(["usermod", "--lock", "--", name])
        # The tools leave their last rename to the journal, and an account that a test is given is no fresh change.
        self.sync()

    def shadow_field(self, user: str) -> str:
        """The password field of the host's /etc/shadow."""
        return shadow.field(self.read("/etc/shadow"), user)

    def opens(self, user: str, password: bytes) -> bool:
        """Whether the password opens the account, by the host's /etc/shadow and the C library alone."""
        return shadow.opens(self.shadow_field(user), password)

    # How

    def make(self, number: int) -> None:
        """Give it a number and a disk; one that has them keeps them."""
        self._home.mkdir(parents=True, exist_ok=True)
        (self._home / "root").mkdir(exist_ok=True)
        if not (self._home / "number").exists():
            (self._home / "number").write_text(str(number))
        self._disk.make()

    def _init(self) -> int | None:
        record = self._home / "init"
        if not record.exists():
            return None
        pid, since = record.read_text().split()
        return int(pid) if processes.started(int(pid)) == since else None

    def own_paths(self) -> frozenset[str]:
        """The host's paths that its own disk has, those among them that it only took away from what lies below."""
        upper = self._disk.at / "upper"
        walk = os.walk(upper)  # which passes over what vanishes meanwhile
        return frozenset(
            f"/{Path(at, name).relative_to(upper)}" for at, folders, files in walk for name in (*folders, *files)
        )

    def _prepare(self) -> None:
        done = self._disk.at / "prepared"
        gateway = self._network.address
        if done.exists() or gateway is None:
            return
        upper = self._disk.at / "upper"
        for folder in (upper, self._disk.at / "work"):
            # What a run that was killed half-way left is not built upon.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        upper.chmod(0o755)
        first_state.write(first_state.Upper(upper), self.name, gateway, self._hide, self._init_program)
        done.touch()
        self._disk.sync()

    def _start(self) -> None:
        groups = cgroups.make(self._names.host(self.name), self._memory)
        plan = Plan(
            name=self.name,
            network=str(NAMESPACES / self._names.host(self.name)),
            disk=str(self._disk.at),
            root=str(self._home / "root"),
            cgroups={hierarchy: str(folder) for hierarchy, folder in groups.items()},
            is_unified=cgroups.is_unified(),
            console=str(self._home / "console"),
            record=str(self._home / "init"),
            init=self._init_program.value,
            starter=os.getpid(),
        )
        command = [sys.executable, "-m", "tests.lab.process_one", plan.to_text()]
        done = subprocess.run(
            command,
            cwd=_CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            raise LabError(f"{self.name} cannot be started: {done.stderr.decode(errors='replace').strip()}")

    def _is_up(self) -> bool:
        if not self.is_on:
            raise LabError(f"{self.name} went off while it booted.")
        if self._init_program is not Init.SYSTEMD:
            return self.run(["test", "-e", UP], check=False).returncode == 0
        state = self.run(["systemctl", "is-system-running"], check=False, text=True).stdout.strip()
        return state in _UP

    def _off(self) -> None:
        own = self._names.host(self.name)
        self._disk.thaw()
        processes.kill(lambda group: group == own)
        self._disk.unmount()
