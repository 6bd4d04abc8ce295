"""A server for the bench, in its own process: the whole gateway, or the least that ASGI can do, on one stack.

python -m tests.bench.polled ours | raw FOLDER     prints its port; answers "cpu", "rss" and "held" on standard input

Both have the gateway's own server object, event loop, parser, TLS settings and certificate. The gateway is the one that
production builds, on the twins of store and broker, which a poll does not touch.
"""

import asyncio
import gc
import os
import resource
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from libs.broker.memory.broker import MemoryBroker
from libs.broker.memory.node import MemoryNode
from libs.broker.topology import Service as BrokerUser
from libs.pki.check import Authorities
from libs.pki.issue import Use, make_authority
from libs.service.clock import RealClock
from libs.store.memory.store import MemoryServer
from libs.store.ports import Store
from libs.store.schema import Service
from libs.telemetry.metrics import Metrics
from libs.vault.seal import VaultKeys
from services.api.app import Gateway, Parts, build
from services.api.keys import Keys
from services.api.poll import Receive, Scope, Send
from services.api.server import Server, bind
from services.api.tls import context_of

SECRET = b"s" * 32
_BODY = b'{"mail":false}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]


class Raw:
    """The bare framework's poll: held for as long as it is asked, without a token, a mailroom or a count of answers."""

    def __init__(self) -> None:
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        seconds = int(scope["query_string"].rpartition(b"=")[2] or b"0")
        if seconds:
            self.held += 1
            await asyncio.sleep(seconds)
            self.held -= 1
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _BODY})


def gateway(folder: Path, store: Store | None = None) -> Gateway:
    """The gateway, with keys that were made for this run; on the store's twin unless another is given."""
    clock = RealClock()
    now = clock.now()
    servers, agents = make_authority(Use.SERVERS, now=now), make_authority(Use.AGENTS, now=now)
    return build(
        Parts(
            store=store or MemoryServer(clock.now).store(Service.GATEWAY),
            broker=MemoryBroker(MemoryNode(clock.now), BrokerUser.GATEWAY),
            clock=clock,
            metrics=Metrics("gateway", "bench"),
            keys=Keys(
                request=Ed25519PrivateKey.generate(),
                session_secrets=(SECRET, secrets.token_bytes(32)),
                vault=VaultKeys(X25519PrivateKey.generate().public_key(), X25519PrivateKey.generate().public_key()),
                authorities=Authorities(servers.certificate, agents.certificate),
            ),
            private=folder,
            version="bench",
            nudge=lambda _name, _key: None,
        )
    )


async def _serve(which: str, folder: Path) -> None:
    ours, raw = gateway(folder), Raw()
    held: Callable[[], int] = (lambda: ours.mailroom.waiting) if which == "ours" else (lambda: raw.held)
    answers: dict[bytes, Callable[[], float]] = {b"cpu": time.process_time, b"rss": _resident, b"held": held}
    server = Server(ours.app if which == "ours" else raw, bind([("127.0.0.1", 0)]), context_of(folder), ours.metrics)
    serving = asyncio.create_task(server.run_until_stopped())
    print(server.addresses[0][1], flush=True)
    asked = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    while line := (await asked.readline()).strip():
        print(answers[line](), flush=True)
    # What is still held was measured, and ends with the process.
    serving.cancel()
    os._exit(0)


def _resident() -> float:
    """Resident bytes now, without what the collector has yet to find."""
    gc.collect()
    return float(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_serve(sys.argv[1], Path(sys.argv[2])))
