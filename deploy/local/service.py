"""One of our own services as a process of the embedded default."""

import http.client
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local import ports
from deploy.local.errors import StartError
from deploy.local.processes import Process, wait_until_ready

START_SECONDS = 60.0
TRIES = 5


class Service:
    """`python -m MODULE` with its settings in an environment that holds nothing else.

    The port of its health pages is chosen at the first start and kept while it stays free.
    """

    def __init__(
        self,
        name: str,
        module: str,
        *,
        root: Path,
        logs: Path,
        home: Path,
        settings: Mapping[str, str],
        hold: int | None = None,
    ) -> None:
        self.name = name
        self.settings = dict(settings)
        self.health_port = 0
        self._module = module
        self._root = root
        self._logs = logs
        self._home = home
        self._hold = hold
        self._process: Process | None = None

    @property
    def health_url(self) -> str:
        """The address of /livez, /readyz and /metrics."""
        return f"http://127.0.0.1:{self.health_port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.alive

    def launch(self) -> Process:
        """Starts the process and does not wait for it."""
        self.health_port = ports.choose(prefer=self.health_port or None)
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONNOUSERSITE": "1",
            "KEYTURN_HEALTH_HOST": "127.0.0.1",
            "KEYTURN_HEALTH_PORT": str(self.health_port),
            **self.settings,
        }
        self._process = Process(
            self.name,
            [sys.executable, "-m", self._module],
            log=self._logs / f"{self.name}.log",
            cwd=self._root,
            environment=environment,
            hold=self._hold,
        )
        return self._process

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Waits for /readyz. Raises StartError with the end of its log.

        A health port that another process took meanwhile is changed for another one.
        """
        for _ in range(TRIES):
            process = self._process if self._process is not None else self.launch()
            try:
                wait_until_ready(process, self.ready, seconds=seconds)
            except StartError:
                if process.alive or ports.is_free(self.health_port):
                    raise
                self.health_port = 0
                self.launch()
            else:
                return
        raise StartError(f"{self.name} lost {TRIES} free ports in a row to other processes.")

    def start(self) -> None:
        self.launch()
        self.wait_until_ready()

    def ready(self) -> bool:
        """Whether it is our process that answers, and says that it is ready."""
        if self._process is None or not ports.answered_by(self._process.pid, self.health_port):
            return False
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self, grace: float = 15.0) -> None:
        if self._process is not None:
            self._process.stop(grace)

    def kill(self) -> None:
        """Ends the service with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Starts a killed service again, and stops a living one before; returns when it is ready."""
        self.stop()
        self.start()

    def pause(self) -> None:
        if self._process is not None:
            self._process.pause()

    def resume(self) -> None:
        if self._process is not None:
            self._process.resume()
