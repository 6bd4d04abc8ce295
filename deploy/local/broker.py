"""A private RabbitMQ: one node on loopback, with an epmd of its own, all state under one folder.

Erlang starts epmd as a daemon that outlives the broker. Here epmd is a supervised process in the foreground, started
first, and Erlang finds it running. A node has three ports: AMQP, distribution and epmd; each is chosen, used, and
then checked to be held by our own process (see ports.py). A node that is started again keeps its ports when they are
still free.

A quorum queue that is younger than 0.2 s when its node is killed can hang for ever. So after the first start, whose
definitions declare the queues, the node is called ready only two seconds later; and a node that ended before that
moment, when nobody can have relied on it yet, begins again from an empty folder.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local import ports
from deploy.local.errors import PortTakenError, StartError
from deploy.local.processes import Process, wait_until_ready

USER = "keyturn"
SETTLING_SECONDS = 2.0
START_SECONDS = 60.0
TRIES = 5
AMQP_GREETING = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01"


class Broker:
    """The node and its epmd. `unpacked` is what `unpack.ensure_rabbitmq` returned.

    Without `definitions` the node has one user with all rights, `keyturn`, whose password lies in STATE/password. With
    it, users, queues and rights come from that file (RabbitMQ's `load_definitions`) and there is no further user.
    """

    name = "broker"

    def __init__(
        self,
        unpacked: Path,
        state: Path,
        *,
        logs: Path | None = None,
        definitions: Path | None = None,
        hold: int | None = None,
    ) -> None:
        self.state = state
        self.logs = logs or state / "log"
        self._unpacked = unpacked
        self._definitions = definitions
        self._hold = hold
        self._epmd: Process | None = None
        self._node: Process | None = None
        self._ports: dict[str, int] = {}

    @property
    def port(self) -> int:
        """The AMQP port of the last start."""
        return self._ports["amqp"]

    @property
    def address(self) -> str:
        """The URL without credentials, as services take it."""
        return f"amqp://127.0.0.1:{self.port}/"

    @property
    def url(self) -> str:
        """The URL with the one user of a node without definitions."""
        return f"amqp://{USER}:{self._password()}@127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int | None:
        return self._node.pid if self._node is not None else None

    @property
    def epmd_pid(self) -> int | None:
        return self._epmd.pid if self._epmd is not None else None

    @property
    def alive(self) -> bool:
        return self._node is not None and self._node.alive

    def start(self) -> None:
        """Starts the node and returns when it answers. Raises StartError with the end of its log."""
        settled = self.state / "settled"
        if not settled.exists():
            shutil.rmtree(self.state, ignore_errors=True)
        for folder in ("mnesia", "home", "log"):
            (self.state / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write_cookie()
        for _ in range(TRIES):
            self._choose_ports()
            try:
                self._start_epmd()
                self._start_node()
            except PortTakenError:
                self.stop()
                continue
            except BaseException:
                self.stop()
                raise
            break
        else:
            raise StartError(f"The broker lost {TRIES} free ports in a row to other processes.")
        (self.state / "ports.json").write_text(json.dumps(self._ports))
        if not settled.exists():
            if self._definitions is not None:
                time.sleep(SETTLING_SECONDS)
            settled.touch()

    def stop(self, grace: float = 20.0) -> None:
        """Stops the node in order, then its epmd."""
        if self._node is not None:
            self._node.stop(grace)
        if self._epmd is not None:
            self._epmd.stop()
        self._node = self._epmd = None

    def kill(self) -> None:
        """Ends the node with SIGKILL, as a crash would; its epmd stays for the next start."""
        if self._node is not None:
            self._node.kill()

    def restart(self) -> None:
        """Starts a killed node again on the same ports and state, and stops a living one before."""
        if self._node is not None:
            self._node.stop()
        if self._epmd is None or not self._epmd.alive:
            self._start_epmd()
        self._start_node()

    def pause(self) -> None:
        if self._node is not None:
            self._node.pause()

    def resume(self) -> None:
        if self._node is not None:
            self._node.resume()

    def control(self, *words: str) -> str:
        """Runs `rabbitmqctl` on the node and returns its output, e.g. `control("add_vhost", "one")`.

        It takes about two seconds. Raises StartError with the tool's words when it refuses.
        """
        done = subprocess.run(
            [self._program("rabbitmqctl"), "--quiet", *words],
            cwd=self.state,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartError(f"rabbitmqctl {words[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _program(self, name: str) -> Path:
        (home,) = (self._unpacked / "usr/lib/rabbitmq/lib").glob("rabbitmq_server-*")
        return home / "sbin" / name

    def _password(self) -> str:
        return (self.state / "password").read_text()

    def _write_cookie(self) -> None:
        for path in (self.state / "home" / ".erlang.cookie", self.state / "password"):
            if not path.exists():
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(secrets.token_hex(24))
                path.chmod(0o400)

    def _choose_ports(self) -> None:
        known = self.state / "ports.json"
        before: dict[str, int] = json.loads(known.read_text()) if known.exists() else {}
        self._ports = {}
        while len(set(self._ports.values())) < 3:  # noqa: PLR2004 - the three ports of a node differ
            self._ports = {name: ports.choose(prefer=before.get(name)) for name in ("amqp", "distribution", "epmd")}

    def _write_configuration(self) -> None:
        lines = [
            f"listeners.tcp.local = 127.0.0.1:{self.port}",
            "log.file = false",
            "log.console = true",
            "log.console.level = warning",
            "log.console.use_colors = off",
            "vm_memory_high_watermark.absolute = 400MiB",
            "disk_free_limit.absolute = 200MB",
            "raft.wal_max_size_bytes = 33554432",
        ]
        if self._definitions is None:
            lines += [
                f"default_user = {USER}",
                f"default_pass = {self._password()}",
                f"loopback_users.{USER} = true",
            ]
        else:
            lines.append(f"load_definitions = {self._definitions.resolve()}")
        configuration = self.state / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join(lines) + "\n")
        (self.state / "enabled_plugins").write_text("[].\n")

    def _environment(self) -> dict[str, str]:
        state = self.state.resolve()
        return {
            "PATH": f"{self._unpacked}/usr/lib/erlang/bin:/usr/bin:/bin",
            "HOME": f"{state}/home",
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._ports["epmd"]),
            "ERL_CRASH_DUMP_SECONDS": "0",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{state}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{state}/advanced.config",
            "RABBITMQ_NODENAME": "keyturn@localhost",
            "RABBITMQ_MNESIA_BASE": f"{state}/mnesia",
            "RABBITMQ_LOG_BASE": f"{state}/log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{state}/enabled_plugins",
            "RABBITMQ_PLUGINS_DIR": f"{self._program('rabbitmq-server').parents[1]}/plugins",
            "RABBITMQ_FEATURE_FLAGS_FILE": f"{state}/feature_flags",
            "RABBITMQ_PID_FILE": f"{state}/pid",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{state}/config",
            "RABBITMQ_SCHEMA_DIR": f"{state}/schema",
            "RABBITMQ_DIST_PORT": str(self._ports["distribution"]),
            # Without this the Erlang distribution listens on every address of the machine.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # The start script replaces itself with the node instead of watching it, so our signals reach the node.
            "RABBITMQ_ALLOW_INPUT": "1",
        }

    def _start_epmd(self) -> None:
        self._epmd = epmd = Process(
            "epmd",
            [
                self._unpacked / "usr/lib/erlang/bin/epmd",
                *("-address", "127.0.0.1", "-port", str(self._ports["epmd"])),
            ],
            log=self.logs / "epmd.log",
            cwd=self.state,
            environment={"PATH": "/usr/bin:/bin", "HOME": str(self.state / "home"), "LANG": "C.UTF-8"},
            hold=self._hold,
        )
        self._wait(epmd, lambda: self._holds(epmd, "epmd"), ["epmd"])

    def _start_node(self) -> None:
        self._write_configuration()
        self._node = node = Process(
            self.name,
            [self._program("rabbitmq-server"), "-noinput"],
            log=self.logs / "broker.log",
            cwd=self.state,
            environment=self._environment(),
            hold=self._hold,
        )
        self._wait(node, lambda: self._holds(node, "amqp") and greets(self.port), ["amqp", "distribution"])

    def _holds(self, process: Process, name: str) -> bool:
        return ports.answered_by(process.pid, self._ports[name])

    def _wait(self, process: Process, ready: Callable[[], bool], names: list[str]) -> None:
        """Waits for one of the two processes; tells a lost port from any other failure."""
        try:
            wait_until_ready(process, ready, seconds=START_SECONDS)
        except StartError:
            process.kill()
            if all(ports.is_free(self._ports[name]) for name in names):
                raise
            raise PortTakenError(f"{process.name} lost a port to another process.") from None


def greets(port: int) -> bool:
    """Whether what listens on the port opens an AMQP 0-9-1 conversation."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(AMQP_GREETING)
            return connection.recv(1) == METHOD_FRAME
    except OSError:
        return False
