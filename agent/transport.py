"""HTTPS to the one server, always begun here: signed requests, the held poll, and answers that count only when they are
whole.

An answer counts if its status, its media type, its size and its shape agree; anything else comes from something in the
way, and its body is never logged. The environment's proxy and trust variables are not read: what counts is in
agent.conf, in the package and in the notices that came since.
"""

import secrets
import ssl
import time
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from pydantic import ValidationError

from agent.proxy import Proxy
from libs.wire.agent_api import MAX_BODY, Problem
from libs.wire.http_signature import sign
from libs.wire.model import Wire
from libs.wire.notice import Notices, Place

Answer = TypeVar("Answer", bound=Wire)

_JSON = "application/json"
_PROBLEM = "application/problem+json"
_TIMEOUT = httpx.Timeout(20.0)
_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
"""Refusals that pass by themselves."""


class TransportError(Exception):
    """The tree of this module: `code` is the reason that status and doctor show; `sentence` what to do."""

    code = "no_contact"


class NoContactError(TransportError):
    """Nobody answered, or the connection was cut. Retryable, and for a poll simply no news."""


class NotTrustedError(TransportError):
    """The server's certificate is of no authority that the package or a notice names."""

    code = "certificate_not_trusted"


class InTheWayError(TransportError):
    """Something between answered: a portal, a proxy, a balancer."""

    code = "proxy_in_the_way"


class RefusedError(TransportError):
    """The server refused, with a code of its own."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.title} {problem.detail}".strip())
        self.code = problem.code
        self.problem = problem

    @property
    def needs_a_person(self) -> bool:
        """Whether the same request meets the same refusal until somebody acts, as with a token that is used up."""
        status = self.problem.status
        return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _LATER


def wall_clock() -> int:
    """Unix milliseconds by the host's clock."""
    return time.time_ns() // 1_000_000


@dataclass
class Transport:
    """One connection, kept."""

    server: str
    port: int
    tls: ssl.SSLContext
    proxy: Proxy | None = None
    key: EllipticCurvePrivateKey | None = None
    agent: str = ""
    version: str = ""
    clock: Callable[[], int] = wall_clock
    offset: int = 0
    """Milliseconds that the server's clock is ahead of the host's, once it has told."""
    wire: httpx.AsyncBaseTransport | None = None
    """Another way to the server than its socket, for tests."""
    _client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self._client = self._made(self.tls)

    def _made(self, tls: ssl.SSLContext, *, name: str | None = None) -> httpx.AsyncClient:
        host = f"[{self.server}]" if ":" in self.server else self.server
        return httpx.AsyncClient(
            base_url=f"https://{host}:{self.port}",
            verify=tls,
            proxy=None if self.proxy is None else self.proxy.for_httpx(),
            transport=self.wire,
            trust_env=False,
            timeout=_TIMEOUT,
            follow_redirects=False,
            # The default drops an idle connection after 5 s, and each poll would pay for a handshake.
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=2, keepalive_expiry=300),
            headers={"user-agent": name or f"keyturn-agent/{self.version}", "accept": _JSON},
        )

    @property
    def place(self) -> Place:
        """Where it calls."""
        return Place(name=self.server, port=self.port)

    async def trusts(self, tls: ssl.SSLContext) -> None:
        """Trusts in other authorities from now on; connections that stand are closed."""
        self.tls = tls
        await self._anew()

    async def goes_to(self, place: Place) -> None:
        """Calls this place from now on; connections to another one are closed."""
        if (place.name, place.port) != (self.server, self.port):
            self.server, self.port = place.name, place.port
            await self._anew()

    async def _anew(self) -> None:
        before, self._client = self._client, self._made(self.tls)
        await before.aclose()

    async def close(self) -> None:
        await self._client.aclose()

    def server_now(self) -> int:
        """Unix milliseconds by the server's clock, as far as it is known."""
        return self.clock() + self.offset

    async def send(self, target: str, body: Wire, shape: type[Answer]) -> Answer:
        """An unsigned POST: the enrolment alone.

        Raises:
            TransportError: one of its kinds.
        """
        return self._read(await self._request("POST", target, body.to_bytes(), {}), shape)

    async def send_signed(self, target: str, body: Wire, shape: type[Answer]) -> Answer:
        """A signed POST. When only the time of the signature is wrong it is made again, once, by the server's clock.

        Raises:
            TransportError: one of its kinds.
        """
        raw = body.to_bytes()
        try:
            return self._read(await self._request("POST", target, raw, self._signature(target, raw)), shape)
        except RefusedError as error:
            if error.code != "clock_skew" or error.problem.server_time is None:
                raise
            self.offset = error.problem.server_time - self.clock()
        return self._read(await self._request("POST", target, raw, self._signature(target, raw)), shape)

    async def poll(self, target: str, token: str, shape: type[Answer], *, hold: float) -> Answer:
        """A GET that the server may hold for `hold` seconds. The time to wait for it is always longer than that.

        Raises:
            TransportError: one of its kinds.
        """
        timeout = httpx.Timeout(20.0, read=hold + 15.0)
        headers = {"authorization": f"Bearer {token}"}
        return self._read(await self._request("GET", target, None, headers, timeout), shape)

    async def notices(self, after: int, *, anyone: bool) -> Notices:
        """The notices after a serial.

        With `anyone` whoever answers is asked, on a connection of its own that carries this one question, without a
        name or a token: what comes back counts by its signatures alone.

        Raises:
            TransportError: one of its kinds.
        """
        target = f"/agent/v1/notices?after={after}"
        if not anyone:
            return self._read(await self._request("GET", target, None, {}), Notices)
        async with self._made(trusting_anybody(), name="keyturn-agent") as stranger:
            return self._read(await self._request("GET", target, None, {}, client=stranger), Notices)

    def _signature(self, target: str, raw: bytes) -> dict[str, str]:
        if self.key is None:
            raise ValueError("an agent signs with its key")
        nonce = b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
        return sign("POST", target, raw, self.key, key=self.agent, nonce=nonce, now=self.server_now())

    async def _request(
        self,
        method: str,
        target: str,
        raw: bytes | None,
        headers: dict[str, str],
        bounds: httpx.Timeout = _TIMEOUT,
        *,
        client: httpx.AsyncClient | None = None,
    ) -> httpx.Response:
        client = client or self._client
        if raw is not None:
            headers = headers | {"content-type": _JSON}
        try:
            request = client.build_request(method, target, content=raw, headers=headers, timeout=bounds)
            answer = await client.send(request, stream=True)
            try:
                return await _whole(answer)
            finally:
                await answer.aclose()
        except httpx.ProxyError as error:
            code = "proxy_needs_sign_in" if "407" in str(error) else "proxy_in_the_way"
            why = f"the proxy {self.proxy} does not let the agent through: {error}"
            raise _named(InTheWayError(why), code) from error
        except httpx.ConnectError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise NotTrustedError(
                    f"the certificate of {self.server}:{self.port} is of no authority that this agent trusts: {error}"
                ) from error
            # Beyond a proxy that was reached, a server that cannot be is the proxy's error.
            where = f"the proxy {self.proxy}" if self.proxy else f"{self.server}:{self.port}"
            raise NoContactError(f"{where} cannot be reached: {error}") from error
        except httpx.HTTPError as error:
            raise NoContactError(f"{self.server}:{self.port}: {type(error).__name__} {error}".strip()) from error

    def _read(self, answer: httpx.Response, shape: type[Answer]) -> Answer:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if answer.is_success and kind == _JSON:
                return shape.model_validate_json(answer.content)
            if answer.is_error and kind == _PROBLEM:
                raise RefusedError(Problem.model_validate_json(answer.content))
        except ValidationError as error:
            raise InTheWayError(_seen(answer, kind)) from error
        raise InTheWayError(_seen(answer, kind))


def trusting_anybody() -> ssl.SSLContext:
    """TLS with whoever answers: for what counts by its own signatures, or is only looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _whole(answer: httpx.Response) -> httpx.Response:
    """The answer with its body, up to the bound."""
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > MAX_BODY * 8:
            raise InTheWayError(f"an answer of more than {MAX_BODY * 8} bytes")
    headers = [(n, v) for n, v in answer.headers.items() if n not in ("content-encoding", "content-length")]
    return httpx.Response(answer.status_code, headers=headers, content=body, request=answer.request)


def _named(error: TransportError, code: str) -> TransportError:
    error.code = code
    return error


def _seen(answer: httpx.Response, kind: str) -> str:
    """What came instead of an answer; never its body, which may carry tokens of a sign-in page."""
    what = f"status {answer.status_code}, {kind or 'no media type'}, {len(answer.content)} bytes"
    return f"something between here and the server answered: {what}"
