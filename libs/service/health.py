"""Health on a port of its own: `/livez`, `/readyz` and `/metrics`, by a few lines of HTTP/1.1.

Alive means that this process's loop runs. Ready means that each part is; where one is not, `/readyz` says in a plain
sentence what it waits for. A process that waits for its store or broker is alive and not ready: starting it again would
not help. The port is for the machine's own monitoring, so it listens on loopback unless told otherwise.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from libs.broker.ports import Broker
from libs.store.ports import Store, StoreState
from libs.telemetry import metrics as telemetry
from libs.telemetry.metrics import Metrics

REQUEST_S = 5.0
MAX_LINE = 4_096
MAX_LINES = 64

_log = structlog.get_logger(__name__)

_STORE = {
    StoreState.UNTRIED: "not asked yet",
    StoreState.UP: "connected",
    StoreState.AWAY: "waiting for the store",
    StoreState.DENIED: "the store refuses this service's name or password",
}


@dataclass(frozen=True)
class Says:
    """What one part says of itself."""

    ready: bool
    sentence: str


def store_says(store: Store) -> Callable[[], Says]:
    """The store as a part of health: what its last operation learnt."""
    return lambda: Says(store.state is StoreState.UP, _STORE[store.state])


def broker_says(broker: Broker) -> Callable[[], Says]:
    """The broker as a part of health."""
    return lambda: Says(broker.state.ready, broker.state.sentence)


class Health:
    """The parts of a process, by name. `part` adds one; a `Step` is one that is told from outside."""

    def __init__(self) -> None:
        self._parts: dict[str, Callable[[], Says]] = {}

    def part(self, name: str, says: Callable[[], Says]) -> None:
        self._parts[name] = says

    def step(self, name: str, sentence: str) -> "Step":
        """A part that is not ready, for the reason `sentence`, until it is told otherwise."""
        made = Step(sentence)
        self._parts[name] = lambda: made.says
        return made

    def watch(self, metrics: Metrics) -> None:
        """Shows each part as `keyturn_ready` by its name; for parts that were added before."""
        gauge = metrics.gauge("ready", "1 where this part of the process is ready.", ("part",))
        for name, says in self._parts.items():
            gauge.labels(name).set_function(_number(says))

    def report(self) -> dict[str, Says]:
        return {name: says() for name, says in self._parts.items()}


def _number(says: Callable[[], Says]) -> Callable[[], float]:
    return lambda: float(says().ready)


class Step:
    """Something that has to happen before a process is ready, such as getting a certificate."""

    def __init__(self, sentence: str) -> None:
        self.says = Says(ready=False, sentence=sentence)

    def waits(self, sentence: str) -> None:
        self.says = Says(ready=False, sentence=sentence)

    def done(self, sentence: str = "done") -> None:
        self.says = Says(ready=True, sentence=sentence)


class HealthServer:
    """Serves the three paths. `run` is a part of the process; `port` is the one it listens on."""

    def __init__(self, health: Health, metrics: Metrics, host: str, port: int) -> None:
        self._health = health
        self._metrics = metrics
        self._host = host
        self.port = port
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Listens until it is cancelled.

        Raises:
            OSError: the address is taken or is not this machine's.
        """
        server = await asyncio.start_server(self._serve, self._host, self.port, limit=MAX_LINE)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            self.listening.set()
            await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_S):
                method, path = await _request(reader)
                status, kind, body = self._answer(method, path)
                writer.write(_head(status, kind, len(body)) + (b"" if method == "HEAD" else body))
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError, asyncio.IncompleteReadError) as error:
            _log.info("health request cut off", why=type(error).__name__)
        finally:
            writer.close()

    def _answer(self, method: str, path: str) -> tuple[HTTPStatus, str, bytes]:
        if method not in {"GET", "HEAD"}:
            return HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"GET or HEAD\n"
        match path.partition("?")[0]:
            case "/livez":
                return HTTPStatus.OK, "text/plain", b"alive\n"
            case "/readyz":
                return self._readiness()
            case "/metrics":
                return HTTPStatus.OK, telemetry.CONTENT_TYPE, self._metrics.page()
        return HTTPStatus.NOT_FOUND, "text/plain", b"/livez, /readyz or /metrics\n"

    def _readiness(self) -> tuple[HTTPStatus, str, bytes]:
        report = self._health.report()
        ready = all(says.ready for says in report.values())
        parts = {name: {"ready": says.ready, "says": says.sentence} for name, says in report.items()}
        body = json.dumps({"ready": ready, "parts": parts}, indent=2).encode() + b"\n"
        return HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE, "application/json", body


async def _request(reader: asyncio.StreamReader) -> tuple[str, str]:
    """Method and target. Raises ValueError when it is no request of a bearable size."""
    method, target, _ = (await reader.readuntil(b"\n")).decode("latin-1").split()
    for _ in range(MAX_LINES):
        if not (await reader.readuntil(b"\n")).strip():
            return method, target
    raise ValueError("too many header lines")


def _head(status: HTTPStatus, kind: str, length: int) -> bytes:
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    ).encode()
