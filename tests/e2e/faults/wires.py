"""A TCP relay between two processes, which cuts, delays or swallows what passes, as a test says."""

import contextlib
import socket
import struct
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from types import TracebackType
from typing import Self

Address = tuple[str, int]
UP, DOWN = "up", "down"
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class _CutError(Exception):
    """The wire was cut here."""


@dataclass(eq=False)
class _Link:
    """One connection through the relay."""

    client: socket.socket
    server: socket.socket

    def close(self, *, hard: bool = False) -> None:
        """Ends both sides; `hard` with a reset, as when something between loses the connection."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                if hard:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
                # Whoever still reads it keeps it open; this wakes him, and says nothing to the other side where hard.
                end.shutdown(socket.SHUT_RD if hard else socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                end.close()


class Wire:
    """Open from `__enter__` on. `target` may be changed; it holds for new connections."""

    def __init__(self, name: str, target: Address, listen: Address = ("127.0.0.1", 0)) -> None:
        self.name, self.target = name, target
        self.passed = {UP: 0, DOWN: 0}
        self.cut_happened = threading.Event()
        self._listen = listen
        self._listener = socket.socket()
        self._links: set[_Link] = set()
        self._lock = threading.Lock()
        self._left: dict[str, int] = {}
        self._delay = 0.0
        self._swallows = False
        self._open = True

    @property
    def address(self) -> Address:
        host, port = self._listener.getsockname()
        return host, port

    def __enter__(self) -> Self:
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(self._listen)
        self._listener.listen(64)
        threading.Thread(target=self._accept, name=f"wire {self.name}", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()

    # ---- faults

    def cut_after(self, way: str, count: int) -> None:
        """Lets `count` more bytes pass in this direction; with the next one every connection is lost, once."""
        self.cut_happened.clear()
        with self._lock:
            self._left = {way: count}

    def delay(self, seconds: float) -> None:
        """Whatever passes waits for so long, in both directions."""
        self._delay = seconds

    def swallow(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._swallows = True

    def heal(self) -> None:
        """Everything passes. Connections out of which something was swallowed are lost."""
        with self._lock:
            self._left = {}
        self._delay = 0.0
        if self._swallows:
            self._swallows = False
            self.reset()

    def reset(self) -> None:
        """Loses every connection."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.close(hard=True)

    # ---- how

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._begin, args=(client,), daemon=True).start()

    def _begin(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self.target, timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(client, server)
        with self._lock:
            self._links.add(link)
        threading.Thread(target=self._pump, args=(link, server, client, DOWN), daemon=True).start()
        self._pump(link, client, server, UP)

    def _pump(self, link: _Link, source: socket.socket, sink: socket.socket, way: str) -> None:
        hard = False
        try:
            while data := source.recv(65_536):
                self._send(sink, data, way)
        except _CutError:
            hard = True
        except OSError:
            hard = True
        finally:
            with self._lock:
                self._links.discard(link)
            link.close(hard=hard)

    def _send(self, sink: socket.socket, data: bytes, way: str) -> None:
        if self._delay:
            time.sleep(self._delay)
        if self._swallows:
            return
        with self._lock:
            left = self._left.get(way)
            if left is not None:
                self._left[way] = left - len(data)
        if left is not None and left < len(data):
            with self._lock:
                self._left = {}
            with contextlib.suppress(OSError):
                sink.sendall(data[: max(0, left)])
            self.reset()
            self.cut_happened.set()
            raise _CutError
        sink.sendall(data)
        self.passed[way] += len(data)


class Proxy(Wire):
    """An HTTP proxy: it may ask for a sign-in, and leads every tunnel to its target, whatever it was asked for."""

    sign_in = ""
    """name:password; whoever has another one gets 407."""

    def _begin(self, client: socket.socket) -> None:
        asked = client.recv(65_536).decode()
        given = f"basic {b64encode(self.sign_in.encode()).decode()}"
        if self.sign_in and not any(line.partition(": ")[2].lower() == given.lower() for line in asked.splitlines()):
            with contextlib.suppress(OSError), client:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        super()._begin(client)
