"""One call to the server, looked at step by step: the way that the agent goes, with its own trust and its own proxy.

The call asks for notices behind the last number, which anybody may ask for, and says nothing of this host.
"""

import base64
import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Final

from cryptography import x509

from agent.doctor.visit import Visit
from agent.proxy import Proxy
from agent.transport import trusting_anybody
from libs.wire.notice import Place

_SECONDS: Final = 10.0
_MOST_HEAD: Final = 65_536
_TARGET: Final = f"/agent/v1/notices?after={2**53 - 1}"


class _EndedError(Exception):
    """The call came no further; the visit says why."""

    def __init__(self, visit: Visit) -> None:
        super().__init__()
        self.visit = visit


def call(place: Place, proxy: Proxy | None, trusted: ssl.SSLContext, clock: Callable[[], int]) -> Visit:
    """What it met. Takes up to a minute where packets are dropped; raises nothing."""
    visit = Visit(place.name, place.port, "" if proxy is None else str(proxy))
    try:
        return _spoken(visit, proxy, trusted, clock)
    except _EndedError as ended:
        return ended.visit


def _spoken(visit: Visit, proxy: Proxy | None, trusted: ssl.SSLContext, clock: Callable[[], int]) -> Visit:
    visit, line = _tunnel(visit, proxy)
    with closing(line):
        try:
            secure = trusted.wrap_socket(line, server_hostname=visit.name)
        except ssl.SSLCertVerificationError as error:
            shown = _issuer_shown(visit, proxy)
            raise _EndedError(replace(visit, issuer=shown, trust_error=error.verify_message)) from error
        except OSError as error:
            raise _EndedError(replace(visit, tls_error=_words(error))) from error
        with closing(secure):
            visit = replace(visit, issuer=_issuer(secure))
            host = f"[{visit.name}]" if ":" in visit.name else visit.name
            asked = f"GET {_TARGET} HTTP/1.1\r\nHost: {host}:{visit.port}\r\nAccept: application/json\r\n"
            head = _asked(secure, f"{asked}User-Agent: keyturn-agent\r\nConnection: close\r\n\r\n")
            status, fields = _head(head)
            date = fields.get("date")
            return replace(
                visit,
                status=status,
                media=fields.get("content-type", "").partition(";")[0].strip().lower(),
                server_clock=None if date is None else _moment(date),
                host_clock=clock(),
            )


def _tunnel(visit: Visit, proxy: Proxy | None) -> tuple[Visit, socket.socket]:
    """A connection on which TLS with the server can begin."""
    name, port = (visit.name, visit.port) if proxy is None else (proxy.host.strip("[]"), proxy.port)
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _EndedError(replace(visit, name_error=_words(error))) from error
    visit = replace(visit, addresses=tuple(dict.fromkeys(str(each[4][0]) for each in found)))
    try:
        line = socket.create_connection((name, port), timeout=_SECONDS)
    except OSError as error:
        raise _EndedError(replace(visit, connect_error=_words(error))) from error
    if proxy is None:
        return visit, line
    target = f"[{visit.name}]:{visit.port}" if ":" in visit.name else f"{visit.name}:{visit.port}"
    sign_in = proxy.for_httpx().raw_auth
    signed = (
        "" if sign_in is None else f"Proxy-Authorization: Basic {base64.b64encode(b':'.join(sign_in)).decode()}\r\n"
    )
    status, _ = _head(_asked(line, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{signed}\r\n"))
    visit = replace(visit, proxy_status=status)
    if status is None or status // 100 != 2:  # noqa: PLR2004 - any 2xx opens a tunnel (RFC 9110, 9.3.6)
        line.close()
        raise _EndedError(visit)
    return replace(visit, proxy_status=200), line


def _issuer_shown(visit: Visit, proxy: Proxy | None) -> str:
    """Who issued what is shown to whoever asks: for people to recognise what is between."""
    try:
        _, line = _tunnel(visit, proxy)
        with closing(trusting_anybody().wrap_socket(line, server_hostname=visit.name)) as secure:
            return _issuer(secure)
    except (OSError, _EndedError):
        return ""


def _issuer(secure: ssl.SSLSocket) -> str:
    raw = secure.getpeercert(binary_form=True)
    try:
        issuer = x509.Name([]) if raw is None else x509.load_der_x509_certificate(raw).issuer
        named = [each for each in issuer if each.oid in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME)]
        return x509.Name(named or list(issuer)).rfc4514_string()
    except ValueError:
        return "an authority that cannot be read"


def _asked(line: socket.socket, text: str) -> bytes:
    """The head of what comes back; empty where nothing does."""
    head = b""
    try:
        line.sendall(text.encode("ascii"))
        while b"\r\n\r\n" not in head and len(head) < _MOST_HEAD and (part := line.recv(4_096)):
            head += part
    except OSError:
        return b""
    return head.partition(b"\r\n\r\n")[0]


def _head(raw: bytes) -> tuple[int | None, dict[str, str]]:
    first, *lines = raw.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():  # noqa: PLR2004 - version, status
        return None, {}
    return int(words[1]), fields


def _moment(date: str) -> int | None:
    try:
        return int(parsedate_to_datetime(date).timestamp() * 1000)
    except ValueError:
        return None


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "nothing came back in 10 s"
    return str(getattr(error, "strerror", None) or error)
