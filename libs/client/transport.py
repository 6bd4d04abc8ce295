"""HTTPS to the server: an explicit authority, no proxy or trust from the environment, answers as models or errors.

A change carries a key of its own. Where its answer is lost, it is sent again with the same key, and the server does it
once. What signs in, or reveals, has none: it is asked for again by who wants it.
"""

import re
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from libs.client.errors import (
    ClientError,
    ConfirmFirstError,
    NotReachableError,
    NotTrustedError,
    RefusedError,
    WrongUseError,
    refusal,
)
from libs.wire.agent_api import Problem

M = TypeVar("M", bound=BaseModel)

DEFAULT_LIMIT = 200
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_TRIES = 4
_BETWEEN_TRIES = 1.0  # seconds
_NO_KEY = re.compile(r"/v1/(sessions.*|setup|accounts/[^/]+/reveal)")
_LOST = (httpx.NetworkError, httpx.RemoteProtocolError)
"""What a connection that breaks ends in; the request may have arrived."""


def trusting(authority: Path | None) -> ssl.SSLContext:
    """Trust in the authority of a PEM file; without one, in the system's.

    Raises:
        WrongUseError: the file holds no certificate.
    """
    if authority is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=str(authority))
    except (OSError, ssl.SSLError) as error:
        raise WrongUseError(f"{authority} holds no certificate: name the server's authority (server-ca.pem)") from error
    return context


def address(server: str) -> str:
    """The address of a server, as this client takes it.

    Raises:
        WrongUseError: it is not https, names no host, or has more than a port behind the host.
    """
    wrong = WrongUseError(f"{server!r} is no server's address: https://HOST:7272")
    try:
        url = httpx.URL(server)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise wrong from error
    if url.scheme != "https" or not url.host or url.userinfo or url.path not in ("", "/") or url.query or url.fragment:
        raise wrong
    return server.rstrip("/")


def part(key: str) -> str:
    """An identifier as a part of a path: whatever it holds, it names one thing."""
    return quote(key, safe="")


class Transport:
    """One server, one session. `seam` is another way to it than its socket, for tests.

    `again` is called where the server wants the person to say again who they are; the request then goes on.
    """

    def __init__(
        self,
        server: str,
        authority: Path | None,
        token: str | None,
        again: Callable[[], None] | None = None,
        seam: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"x-keyturn-client": "command"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        self.server, self._again = address(server), again
        self._client = httpx.Client(
            base_url=self.server,
            verify=True if seam is not None else trusting(authority),
            transport=seam,
            trust_env=False,
            timeout=_TIMEOUT,
            headers=headers,
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, shape: type[M], **query: Any) -> M:
        """The answer to a GET; parameters that are None are left out."""
        return self._model("GET", path, shape, params=_given(query))

    def post(self, path: str, shape: type[M], body: Mapping[str, Any]) -> M:
        """The answer to a POST; values that are None are left out."""
        return self._model("POST", path, shape, json=_given(body))

    def patch(self, path: str, shape: type[M], body: Mapping[str, Any]) -> M:
        """The answer to a PATCH; values that are None are left out."""
        return self._model("PATCH", path, shape, json=_given(body))

    def send(self, path: str, body: Mapping[str, Any]) -> None:
        """A POST without an answer."""
        with self.stream("POST", path, json=_given(body)) as answer:
            answer.read()

    def delete(self, path: str) -> None:
        """A DELETE without an answer."""
        with self.stream("DELETE", path) as answer:
            answer.read()

    def items(self, path: str, shape: type[M], *, limit: int, **query: Any) -> list[M]:
        """Up to `limit` items of a list, page by page."""
        found: list[M] = []
        cursor: str | None = None
        adapter = TypeAdapter(list[shape])  # type: ignore[valid-type]  # mypy takes no type from a variable
        while len(found) < limit:
            with self.stream(
                "GET", path, params=_given({**query, "limit": min(limit - len(found), 200), "cursor": cursor})
            ) as answer:
                page = _json(answer)
            try:
                found += adapter.validate_python(page["items"])
                cursor = page["next"]
            except (KeyError, TypeError, ValidationError) as error:
                raise NotReachableError(_not_ours(answer)) from error
            if cursor is None:
                break
        return found

    def _model(self, method: str, path: str, shape: type[M], **more: Any) -> M:
        with self.stream(method, path, **more) as answer:
            answer.read()
            try:
                return shape.model_validate_json(answer.content)
            except ValidationError as error:
                raise NotReachableError(_not_ours(answer)) from error

    @contextmanager
    def stream(self, method: str, path: str, **more: Any) -> Iterator[httpx.Response]:
        """An answer whose body is not yet read.

        Raises:
            ClientError: one of its kinds.
        """
        try:
            answer = self._answer(method, path, **more)
            try:
                yield answer
            finally:
                answer.close()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise NotTrustedError(
                    f"{self.server} shows a certificate that is not of the authority you trust;"
                    " name the right one with --ca, or find out what opens TLS on the way"
                ) from error
            raise NotReachableError(f"{self.server} cannot be reached: {error}") from error
        except httpx.HTTPError as error:
            # A lost answer to a change says nothing about the change.
            unknown = "" if method == "GET" else "; it may or may not have been done, so look before you repeat it"
            raise NotReachableError(f"{self.server} did not answer: {type(error).__name__}{unknown}") from error

    def _answer(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer that is no refusal, its body unread."""
        key = None if method == "GET" or _NO_KEY.fullmatch(path) else secrets.token_urlsafe(16)
        headers = {} if key is None else {"idempotency-key": key}
        lost: httpx.HTTPError | None = None
        asked = False
        for left in reversed(range(_TRIES)):
            try:
                answer = self._client.send(
                    self._client.build_request(method, path, headers=headers, **more), stream=True
                )
            except _LOST as error:
                # Nothing is known to have been sent where the first connection was never made.
                first = lost is None and isinstance(error, httpx.ConnectError)
                lost = lost or error
                if key is None or first or not left:
                    raise lost from error
                time.sleep(_BETWEEN_TRIES)
                continue
            if answer.is_success:
                return answer
            answer.read()
            refused = _refused(answer)
            # Nobody is asked for what is not sent again.
            if isinstance(refused, ConfirmFirstError) and self._again is not None and left and not asked:
                asked = True
                self._again()
            elif lost is not None and left and _is_under_way(refused):
                time.sleep(_BETWEEN_TRIES)
            else:
                raise refused
        raise AssertionError("the last try ends in an answer or an error")


def _is_under_way(error: ClientError) -> bool:
    """Whether the first sending of this change is still being carried out, as far as the server knows."""
    return isinstance(error, RefusedError) and error.code == "idempotency_key_unanswered"


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _json(answer: httpx.Response) -> Any:
    answer.read()
    try:
        return answer.json()
    except ValueError as error:
        raise NotReachableError(_not_ours(answer)) from error


def _refused(answer: httpx.Response) -> ClientError:
    try:
        return refusal(Problem.model_validate_json(answer.content))
    except ValidationError:
        return NotReachableError(_not_ours(answer))


def _not_ours(answer: httpx.Response) -> str:
    kind = answer.headers.get("content-type", "no media type")
    return f"something other than a Keyturn server answered: status {answer.status_code}, {kind}"
