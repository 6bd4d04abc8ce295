"""A proxy that ends TLS, as a company has one before its servers or for its own people: it reads what passes, and
answers some requests itself, with a page of its own.
"""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.faults.wires import Address

PASS, INSTEAD, AFTER = "pass", "instead", "after"


def page(status: bytes, body: bytes, kind: bytes = b"text/html") -> bytes:
    """An answer, whole."""
    head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    return head % (status, kind, len(body)) + body


TIMED_OUT = page(
    b"504 Gateway Time-out",
    b"<!DOCTYPE html><html><head><title>504</title></head><body><h1>504 Gateway Time-out</h1></body></html>",
)
Rule = Callable[[str], str]
"""What happens to a request for this path: it passes, is answered instead, or is carried out and then answered so."""

Rewrite = Callable[[str, bytes], bytes]
"""The body of an answer that passes, for this path."""


class Front:
    """Open from `__enter__` on; `rule`, `page` and `rewrite` may be changed at any time. `heads` is what it read of
    requests.

    It shows `certificate`, and trusts the gateway by `authority`.
    """

    def __init__(self, gateway: Address, certificate: Path, key: Path, authority: Path) -> None:
        self.rule: Rule = lambda _: PASS
        self.page = TIMED_OUT
        self.rewrite: Rewrite = lambda _, body: body
        self.heads: list[str] = []
        self.answered = threading.Event()
        self._gateway = gateway
        self._inside = ssl.create_default_context(cafile=str(authority))
        self._inside.check_hostname = False
        self._outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._outside.load_cert_chain(certificate, key)
        self._listener = socket.socket()

    @property
    def address(self) -> Address:
        host, port = self._listener.getsockname()
        return host, port

    def __enter__(self) -> Self:
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        threading.Thread(target=self._accept, name="front", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, self._outside.wrap_socket(client, server_side=True) as outside:
            raw = socket.create_connection(self._gateway, timeout=60)
            with raw, self._inside.wrap_socket(raw, server_hostname="keyturn") as inside:
                while self._exchange(outside, inside):
                    pass

    def _exchange(self, outside: ssl.SSLSocket, inside: ssl.SSLSocket) -> bool:
        """One request and its answer; False when the connection is over."""
        request = _message(outside)
        if request is None:
            return False
        self.heads.append(request.partition(b"\r\n\r\n")[0].decode())
        path = request.split(b" ", 2)[1].split(b"?")[0].decode()
        does = self.rule(path)
        if does != INSTEAD:
            inside.sendall(request)
            if outside in select.select([inside, outside], [], [])[0]:
                return False  # whoever asked has gone, and the gateway must not wait for him
            answer = _message(inside)
            if answer is None:
                return False
            if does == PASS:
                outside.sendall(self._rewritten(path, answer))
                return True
        outside.sendall(self.page)
        self.answered.set()
        return False

    def _rewritten(self, path: str, answer: bytes) -> bytes:
        head, _, before = answer.partition(b"\r\n\r\n")
        body = self.rewrite(path, before)
        head = head.replace(b"content-length: %d" % len(before), b"content-length: %d" % len(body))
        return head + b"\r\n\r\n" + body


def _message(source: ssl.SSLSocket) -> bytes | None:
    """A whole HTTP/1.1 message, its length told or in chunks; None when the other side has ended."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = source.recv(65_536)
        if not piece:
            return None
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    length, in_chunks = 0, b"transfer-encoding: chunked" in head.lower()
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(body) < length or (in_chunks and not body.endswith(b"0\r\n\r\n")):
        piece = source.recv(65_536)
        if not piece:
            return None
        body += piece
    return head + b"\r\n\r\n" + body
