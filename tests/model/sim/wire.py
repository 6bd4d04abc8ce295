"""The network between a client and the gateway: it is slow, loses requests or answers, repeats them, is cut, and
sometimes something else answers.

The application runs in a task of the gateway's process. So a killed gateway takes its answers along, and a client that
is gone leaves the application behind, which may or may not hear of it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from services.api.poll import App
from tests.model.sim.chance import Chance
from tests.model.sim.process import Process
from tests.model.sim.trace import Trace
from tests.model.sim.weather import Weather

Answer = "asyncio.Future[httpx.Response]"
Door = Callable[[], tuple[Process, App] | None]
"""The gateway that listens now, if one does."""

_PORTAL = b"<html><body>504 Gateway Time-out</body></html>"


class Wire(httpx.AsyncBaseTransport):
    """One client's way to the gateway.

    Args:
        name: The client.
        door: Who listens.
        weather: The faults of this wire.
        read: Is given each answer's bytes.
        address: Where the client comes from.
    """

    def __init__(
        self,
        name: str,
        door: Door,
        weather: Weather,
        trace: Trace,
        chance: Chance,
        *,
        read: Callable[[bytes], None],
        address: str,
    ) -> None:
        self.is_cut = False
        self._name, self._door, self._weather, self._trace, self._chance = name, door, weather, trace, chance
        self._read, self._address = read, address
        self._under_way: dict[asyncio.Future[httpx.Response], None] = {}

    def cut(self) -> None:
        """Until `mend`, nothing gets through; what is under way is reset."""
        self.is_cut = True
        for answer in list(self._under_way):
            _fail(answer, httpx.ReadError("the connection was reset"))

    def mend(self) -> None:
        self.is_cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        patience = float(request.extensions.get("timeout", {}).get("read") or 20.0)
        await asyncio.sleep(self._weather.delay())
        door = self._door()
        if self.is_cut or door is None:
            await asyncio.sleep(self._chance.random())
            raise httpx.ConnectError("nobody listens")
        fate = self._fate(request)
        if fate == "lost_request":
            return await self._nothing(patience)
        process, app = door
        if fate == "portal":
            return httpx.Response(504, headers={"content-type": "text/html"}, content=_PORTAL, request=request)
        answer = self._given(process, app, request, body)
        if fate == "repeated":
            await asyncio.sleep(self._weather.delay())
            again = self._given(process, app, request, body)
            again.add_done_callback(_heard_by_nobody)
        response = await self._awaited(answer, patience)
        if fate == "lost_answer":
            return await self._nothing(patience)
        await asyncio.sleep(self._weather.delay())
        self._read(response.content)
        if response.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            self._trace.violated(f"the gateway made a mistake at {request.method} {request.url.path}")
        if request.url.path != "/agent/v1/poll":
            self._trace.say(self._name, f"{request.method} {request.url.path} -> {response.status_code}")
        return response

    def _fate(self, request: httpx.Request) -> str:
        drawn = self._chance.random()
        for kind in ("lost_request", "lost_answer", "repeated", "portal"):
            limit: float = getattr(self._weather, kind)
            if drawn < limit:
                self._trace.fault(f"wire_{kind}", f"{self._name} {request.method} {request.url.path}")
                return kind
            drawn -= limit
        return "delivered"

    async def _nothing(self, patience: float) -> httpx.Response:
        """No answer comes: the client waits for it in vain, or its connection breaks."""
        if self._chance.random() < 0.5:
            await asyncio.sleep(self._weather.delay())
            raise httpx.ReadError("the connection broke")
        await asyncio.sleep(patience)
        raise httpx.ReadTimeout("no answer came")

    def _given(
        self, process: Process, app: App, request: httpx.Request, body: bytes
    ) -> "asyncio.Future[httpx.Response]":
        """The application's answer, as its process makes it."""
        answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        gone = asyncio.Event()
        task = process.spawn(exchange(app, request, body, gone, self._address))

        def done(task: "asyncio.Task[httpx.Response]") -> None:
            if task.cancelled():
                _fail(answer, httpx.RemoteProtocolError("the server closed the connection"))
            elif (error := task.exception()) is not None:
                self._trace.violated(f"the gateway let an error through: {error!r}")
                _fail(answer, httpx.RemoteProtocolError("the server closed the connection"))
            elif not answer.done():
                answer.set_result(task.result())

        def left(_: "asyncio.Future[httpx.Response]") -> None:
            # The client is away: a server hears of that, or its half of the connection stays open.
            if not task.done() and self._chance.random() < 0.7:
                gone.set()

        task.add_done_callback(done)
        answer.add_done_callback(left)
        return answer

    async def _awaited(self, answer: "asyncio.Future[httpx.Response]", patience: float) -> httpx.Response:
        self._under_way[answer] = None
        timer = asyncio.get_running_loop().call_later(patience, _fail, answer, httpx.ReadTimeout("no answer came"))
        try:
            return await answer
        finally:
            timer.cancel()
            self._under_way.pop(answer, None)


def _fail(answer: "asyncio.Future[httpx.Response]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _heard_by_nobody(answer: "asyncio.Future[httpx.Response]") -> None:
    if not answer.cancelled():
        answer.exception()


async def exchange(app: App, request: httpx.Request, body: bytes, gone: asyncio.Event, address: str) -> httpx.Response:
    """One request through an ASGI application. `gone` tells it that the client left."""
    path, _, query = request.url.raw_path.partition(b"?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": path,
        "query_string": query,
        "server": (request.url.host, request.url.port),
        "client": (address, 1),
        "root_path": "",
    }
    given = False
    status, headers, parts = 0, [], []

    async def receive() -> dict[str, Any]:
        nonlocal given
        if given:
            await gone.wait()
            return {"type": "http.disconnect"}
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = int(message["status"]), list(message.get("headers", ()))
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    if not status:
        raise asyncio.CancelledError  # the application saw that its client had left
    return httpx.Response(status, headers=headers, content=b"".join(parts), request=request)
