"""A private SecantusDB: a store that speaks MongoDB's protocol, on loopback, all state under one folder.

- `--sync-on-commit`: without it acknowledged writes are lost by a kill -9.
- It reads `./secantusd.toml` and `~/.secantus/`, so the state folder is its working directory and its home.
- Users can be made only before it runs with `--auth`. `start(setup=...)` therefore starts it once without, on
  loopback and still empty, lets `setup` make collections, indexes and users, notes that this is done, and starts it
  again with `--auth`. A start that ended in the middle does the whole again.
"""

import json
import shutil
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from deploy.local import ports
from deploy.local.errors import PortTakenError, StartError
from deploy.local.processes import Process, wait_until_ready

START_SECONDS = 60.0
TRIES = 5
OP_MSG = 2013


class Store:
    """The store's process. `python` is what `store_environment.ensure_store` returned."""

    name = "store"

    def __init__(self, python: Path, state: Path, *, logs: Path | None = None, hold: int | None = None) -> None:
        self.state = state
        self.logs = logs or state / "log"
        self._python = python
        self._hold = hold
        self._process: Process | None = None
        self._port: int | None = None
        self._auth = False

    @property
    def port(self) -> int:
        """The port of the last start. Raises StartError before the first."""
        if self._port is None:
            raise StartError("The store has not been started yet.")
        return self._port

    @property
    def url(self) -> str:
        """The URL without credentials, as services take it."""
        return f"mongodb://127.0.0.1:{self.port}/?retryWrites=false"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.alive

    def start(self, *, setup: Callable[[str], None] | None = None) -> None:
        """Starts the store and returns when it answers.

        With `setup`, which gets the URL of the store without users, the store runs with `--auth`; a state folder stays
        what it was made as. Raises StartError with the end of its log.
        """
        secured = self.state / "secured"
        if setup is not None and not secured.exists():
            shutil.rmtree(self.state, ignore_errors=True)
            self._start(auth=False)
            try:
                setup(self.url)
            finally:
                self.stop()
            secured.touch()
        self._start(auth=secured.exists())

    def stop(self, grace: float = 15.0) -> None:
        if self._process is not None:
            self._process.stop(grace)
        self._process = None

    def kill(self) -> None:
        """Ends the store with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Starts a killed store again on the same port and state, and stops a living one before."""
        self.stop()
        self._run(self.port)

    def pause(self) -> None:
        if self._process is not None:
            self._process.pause()

    def resume(self) -> None:
        if self._process is not None:
            self._process.resume()

    def _start(self, *, auth: bool) -> None:
        self._auth = auth
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        known = self.state / "port.json"
        before = json.loads(known.read_text()) if known.exists() else self._port
        for _ in range(TRIES):
            port = ports.choose(prefer=before)
            try:
                self._run(port)
            except PortTakenError:
                continue
            known.write_text(json.dumps(port))
            return
        raise StartError(f"The store lost {TRIES} free ports in a row to other processes.")

    def _run(self, port: int) -> None:
        state = self.state.resolve()
        command = [
            *(self._python, "-m", "secantus", "--host", "127.0.0.1", "--port", str(port)),
            *("--storage-path", state / "db", "--sync-on-commit", "--oplog-max-entries", "2000"),
            *("--cache-size", "128M", "--log-level", "WARNING"),
            *(("--auth",) if self._auth else ()),
        ]
        process = Process(
            self.name,
            command,
            log=self.logs / "store.log",
            cwd=state,
            environment={"PATH": "/usr/bin:/bin", "HOME": str(state), "LANG": "C.UTF-8"},
            hold=self._hold,
        )
        try:
            wait_until_ready(
                process, lambda: ports.answered_by(process.pid, port) and greets(port), seconds=START_SECONDS
            )
        except StartError:
            process.kill()
            if ports.is_free(port):
                raise
            raise PortTakenError("The store lost its port to another process.") from None
        except BaseException:
            process.kill()
            raise
        self._process = process
        self._port = port


def greets(port: int) -> bool:
    """Whether what listens on the port answers `hello` as a MongoDB server that takes writes does."""
    body = b"\x10hello\x00" + struct.pack("<i", 1) + b"\x02$db\x00" + struct.pack("<i", 6) + b"admin\x00" + b"\x00"
    document = struct.pack("<i", len(body) + 4) + body
    message = struct.pack("<ib", 0, 0) + document
    header = struct.pack("<iiii", len(message) + 16, 1, 0, OP_MSG)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(header + message)
            return b"isWritablePrimary\x00\x01" in connection.recv(65_536)
    except OSError:
        return False
