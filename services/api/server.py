"""The HTTPS server: uvicorn on sockets that we bind ourselves, with a bound on everything a stranger can hold open.

Accepting is ours for one reason: at most 200 TLS handshakes are in flight, so that a thousand agents that come back at
once (a network that heals, a gateway that restarts) leave the processor to those that have mail. The others wait in the
kernel's queue, which costs nothing. A handshake has ten seconds, the head of a request twenty and 32 KiB.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.api.poll import App

HANDSHAKES_AT_ONCE = 200
HANDSHAKE_SECONDS = 10
HEAD_SECONDS = 20
MAX_HEAD = 32_768
KEEP_ALIVE_SECONDS = 120
"""Longer than the interval at which an agent that does not hold polls calls."""

GOODBYE_SECONDS = 1
"""An idle agent does not read, so it would never answer TLS's goodbye, and a stop would wait for it in vain."""

STOP_SECONDS = 5
_BACKLOG = 4_096
_PIECE = 4_096
_RETRY_SECONDS = 0.2


class HandshakeCounts(Protocol):
    """What is measured here."""

    def handshaken(self) -> None: ...

    def handshake_failed(self) -> None: ...


def bind(addresses: Sequence[tuple[str, int]]) -> list[socket.socket]:
    """Bound listening sockets, with their address reusable at once after a stop. Port 0 takes a free one.

    Raises:
        OSError: an address is taken or is none of this machine's.
    """
    bound: list[socket.socket] = []
    try:
        for host, port in addresses:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            each = socket.socket(family, kind, protocol)
            bound.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.setblocking(False)
            each.bind(address)
    except OSError:
        for each in bound:
            each.close()
        raise
    return bound


class _Connection(HttpToolsProtocol):
    """uvicorn's connection, with a bound on the size and the time of a request's head."""

    _head = 0
    _piece = 0
    _in_head = True
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hurry(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """In pieces, because the parser does not tell where in them a head begins: a piece counts as a whole."""
        for start in range(0, len(data), _PIECE):
            if not self.transport.is_closing():
                self._take(data[start : start + _PIECE])

    def _take(self, piece: bytes) -> None:
        self._piece = len(piece)
        if self._in_head:
            self._head += len(piece)
            if self._patience is None:
                self._hurry(HEAD_SECONDS)
        super().data_received(piece)
        if self._in_head and self._head > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of this request is too large.")

    def on_message_begin(self) -> None:
        self._in_head, self._head = True, self._piece
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._hurry(None)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        self._in_head, self._head = True, 0
        super().on_response_complete()

    def _hurry(self, seconds: float | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        waits = seconds is not None
        self._patience = self.loop.call_later(seconds, self.timeout_keep_alive_handler) if waits and seconds else None


class Server(uvicorn.Server):
    """Serves `app` on bound sockets until `stop`."""

    def __init__(
        self, app: App, sockets: Sequence[socket.socket], context: ssl.SSLContext, counts: HandshakeCounts
    ) -> None:
        config = uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        super().__init__(config)
        self._sockets, self._context, self._counts = list(sockets), context, counts
        self._free = asyncio.Semaphore(HANDSHAKES_AT_ONCE)
        self._accepting: list[asyncio.Task[None]] = []
        self._handshakes: set[asyncio.Task[None]] = set()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens, with the ports that were taken."""
        return [each.getsockname()[:2] for each in self._sockets]

    async def run_until_stopped(self) -> None:
        """Serves; returns after `stop`, when what was under way is answered or five seconds are over."""
        await self._serve()

    def stop(self) -> None:
        """Asks the server to end."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Signals are the process's own business."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to accept, in the place of uvicorn's own listening."""
        del sockets
        await self.lifespan.startup()
        self.servers = []
        for each in self._sockets:
            each.listen(_BACKLOG)
            self._accepting.append(asyncio.create_task(self._accept(each)))
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops to accept, then ends what is open."""
        del sockets
        for task in (*self._accepting, *self._handshakes):
            task.cancel()
        await asyncio.gather(*self._accepting, *self._handshakes, return_exceptions=True)
        for each in self._sockets:
            each.close()
        await super().shutdown()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._free.acquire()
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError:
                # No more file descriptors, or the peer left before it was accepted: the next one may do better.
                self._free.release()
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            except asyncio.CancelledError:
                self._free.release()
                raise
            task = asyncio.create_task(self._shake(accepted))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _shake(self, accepted: socket.socket) -> None:
        try:
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=GOODBYE_SECONDS,
            )
            self._counts.handshaken()
        except (OSError, ssl.SSLError, TimeoutError):
            # A scan, a client without our protocol, or one that does not trust us: it is counted, and that is all.
            self._counts.handshake_failed()
            accepted.close()
        finally:
            self._free.release()

    def _make(self) -> asyncio.Protocol:
        protocol: Callable[..., asyncio.Protocol] = _Connection
        return protocol(config=self.config, server_state=self.server_state, app_state={})
