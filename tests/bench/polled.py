"""A server for the bench, in its own process: the gateway's held poll, or the least that ASGI can do, on one stack.

python -m tests.bench.polled ours | raw FOLDER     prints its port; answers "cpu" and "rss" on standard input
"""

import asyncio
import os
import resource
import ssl
import sys
import time
from pathlib import Path

import uvloop

from libs.telemetry.metrics import Metrics
from services.api.agent_door.tokens import SessionTokens
from services.api.mailroom import Mailroom
from services.api.metrics import GatewayMetrics
from services.api.poll import App, Poll, Receive, Scope, Send
from services.api.server import Server, bind

SECRET = b"s" * 32
_BODY = b'{"mail":false}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]


class Counts:
    """Counts handshakes, as the gateway does."""

    def handshaken(self) -> None:
        """One more."""

    def handshake_failed(self) -> None:
        """One that was none."""


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """The bare framework's poll: held for as long as it is asked, without a token, a mailroom or a count."""
    del receive
    seconds = int(scope["query_string"].rpartition(b"=")[2] or b"0")
    if seconds:
        await asyncio.sleep(seconds)
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


def ours() -> App:
    """The gateway's poll, with a real count of answers and a real note of who was heard."""
    metrics = GatewayMetrics(Metrics("gateway", "bench"))
    heard: dict[str, int] = {}

    def now() -> int:
        return time.time_ns() // 1_000_000

    def note(agent: str) -> None:
        heard[agent] = now()

    return Poll(SessionTokens((SECRET,)), Mailroom(), now, metrics.polled, note)


def context(folder: Path) -> ssl.SSLContext:
    """As the gateway's: P-256, no session tickets."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "tls.pem", folder / "tls.key")
    made.num_tickets = 0
    return made


async def _serve(which: str, folder: Path) -> None:
    sockets = bind([("127.0.0.1", 0)])
    server = Server(ours() if which == "ours" else raw, sockets, context(folder), Counts())
    serving = asyncio.create_task(server.run_until_stopped())
    print(server.addresses[0][1], flush=True)
    loop = asyncio.get_running_loop()
    asked = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    while line := (await asked.readline()).strip():
        print(time.process_time() if line == b"cpu" else _rss(), flush=True)
    # What is still held was measured, and ends with the process.
    serving.cancel()
    os._exit(0)


def _rss() -> int:
    """Resident bytes now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_serve(sys.argv[1], Path(sys.argv[2])))
