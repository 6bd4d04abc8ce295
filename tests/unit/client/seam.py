"""An application without sockets: synchronous code speaks to an ASGI application that runs in a thread beside it."""

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

T = TypeVar("T")
V = TypeVar("V")
Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

PATIENCE = 30.0


@dataclass
class Beside(Generic[V]):
    """A value that lives on the loop of another thread."""

    value: V
    loop: asyncio.AbstractEventLoop

    def call(self, what: Coroutine[Any, Any, T]) -> T:
        """What the coroutine gives, run over there."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(PATIENCE)


@contextmanager
def beside(context: AbstractAsyncContextManager[V]) -> Iterator[Beside[V]]:
    """The context, entered and left in one task of a thread of its own."""
    ready: Future[Beside[V]] = Future()
    over = asyncio.Event()

    async def live() -> None:
        async with context as value:
            ready.set_result(Beside(value, asyncio.get_running_loop()))
            await over.wait()

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        made = ready.result(PATIENCE)
        yield made
        made.loop.call_soon_threadsafe(over.set)
    except BaseException:
        if ready.done() and not ready.exception():
            ready.result().loop.call_soon_threadsafe(over.set)
        raise
    finally:
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Body(httpx.SyncByteStream):
    """The rest of an answer, part by part as the application sends it."""

    def __init__(self, sent: "queue.Queue[Message | BaseException | None]", patience: float, leave: Any) -> None:
        self._sent, self._patience, self._leave = sent, patience, leave

    def __iter__(self) -> Iterator[bytes]:
        while (message := take(self._sent, self._patience)) is not None:
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                return

    def close(self) -> None:
        self._leave()


def take(sent: "queue.Queue[Message | BaseException | None]", patience: float) -> Message | None:
    try:
        message = sent.get(timeout=patience)
    except queue.Empty:
        raise httpx.ReadTimeout("nothing came") from None
    if isinstance(message, BaseException):
        raise message
    return message


class Seam(httpx.BaseTransport):
    """The way to the application. `away` makes it a server that is not there; `asked` are the requests so far."""

    def __init__(self, app: App, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._loop = app, loop
        self.away = False
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        self.asked.append(request)
        if self.away:
            raise httpx.ConnectError("Connection refused")
        body = request.read()
        patience = request.extensions["timeout"]["read"]
        sent: queue.Queue[Message | BaseException | None] = queue.Queue()
        running = asyncio.run_coroutine_threadsafe(self._run(request, body, sent), self._loop)
        left = threading.Event()
        running.add_done_callback(lambda _: left.set())

        def leave() -> None:
            running.cancel()
            assert left.wait(PATIENCE)

        try:
            begin = take(sent, patience)
        except httpx.ReadTimeout:
            leave()
            raise
        assert begin is not None
        headers = [(name.decode(), value.decode()) for name, value in begin["headers"]]
        return httpx.Response(begin["status"], headers=headers, stream=Body(sent, patience, leave), request=request)

    async def _run(
        self, request: httpx.Request, body: bytes, sent: "queue.Queue[Message | BaseException | None]"
    ) -> None:
        given = False

        async def receive() -> Message:
            nonlocal given
            if given:
                await asyncio.Event().wait()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.put(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": "https",
            "path": request.url.path,
            "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query,
            "server": ("keyturn.example", 7272),
            "client": ("192.0.2.7", 40_000),
            "root_path": "",
        }
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            sent.put(error)
            raise
        sent.put(None)
