"""The gateway's port over real sockets: TLS, what a stranger can hold open, and a stop that leaves nobody hanging."""

import asyncio
import contextlib
import secrets
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from libs.pki.issue import issue_server
from libs.service.private_files import write_private
from libs.wire.ids import Noun, derived_id
from services.api import server as server_module
from services.api.agent_door.tokens import SessionTokens
from services.api.server import MAX_HEAD, Server, bind
from services.api.tls import CERTIFICATE_FILE, _request, context_of, own_key
from tests.unit.api.world import World, authorities, make_world

AGENT = derived_id(Noun.AGENT, "held")


@dataclass
class Port:
    """The open port, and who trusts it."""

    world: World
    server: Server
    number: int
    context: ssl.SSLContext
    serving: "asyncio.Task[None]"

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{self.number}", verify=self.context, trust_env=False, timeout=30
        )

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.number, ssl=self.context)

    def token(self) -> dict[str, str]:
        tokens = SessionTokens(self.world.keys.session_secrets)
        return {"authorization": f"Bearer {tokens.make(AGENT, self.world.clock.now())}"}

    async def held(self, count: int) -> None:
        """Returns when so many polls are held."""
        for _ in range(1_000):
            if self.world.gateway.mailroom.waiting == count:
                return
            await asyncio.sleep(0.01)
        pytest.fail(f"{self.world.gateway.mailroom.waiting} polls are held, not {count}")


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Port]:
    servers, now = authorities()[0], time.time_ns() // 1_000_000
    pem = issue_server(_request(own_key(tmp_path)), ["127.0.0.1"], servers, now=now, days=2)
    write_private(tmp_path / CERTIFICATE_FILE, pem)
    context = ssl.create_default_context(cadata=servers.certificate.public_bytes(Encoding.PEM).decode())
    # The authority of these tests was made at the moment at which their clock stands.
    context.verify_flags |= 0x200000
    async with make_world(tmp_path) as world:
        sockets = bind([("127.0.0.1", 0)])
        server = Server(world.gateway.app, sockets, context_of(tmp_path), world.gateway.metrics)
        (address,) = server.addresses
        serving = asyncio.create_task(server.run_until_stopped())
        yield Port(world, server, address[1], context, serving)
        world.gateway.close()
        server.stop()
        await serving


async def test_it_speaks_tls_and_nothing_of_itself(port: Port) -> None:
    async with port.client() as client:
        answer = await client.get("/v1/about")
    assert (answer.status_code, answer.json()["name"]) == (200, "Keyturn")
    assert "server" not in answer.headers
    assert 'keyturn_gateway_handshakes_total{outcome="good"} 1.0' in port.world.parts.metrics.page().decode()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_from_1_2_and_without_tickets(port: Port, version: ssl.TLSVersion) -> None:
    port.context.minimum_version = port.context.maximum_version = version
    _, writer = await port.raw()
    connection = writer.get_extra_info("ssl_object")
    assert connection.version() == f"TLSv{version.name[-3:].replace('_', '.')}"
    assert connection.session is None or not connection.session.has_ticket or version is ssl.TLSVersion.TLSv1_2
    writer.close()


async def test_a_hundred_held_polls_are_answered_by_one_wake_each(port: Port) -> None:
    async with port.client() as client:
        polls = [asyncio.create_task(client.get("/agent/v1/poll?wait=50", headers=port.token())) for _ in range(100)]
        await port.held(100)
        for _ in range(100):
            port.world.gateway.mailroom.wake(AGENT)
        answers = await asyncio.gather(*polls)
    assert {answer.content for answer in answers} == {b'{"mail":true}'}
    assert port.world.gateway.mailroom.with_mail == 0


async def test_a_stop_answers_what_is_held(port: Port) -> None:
    async with port.client() as client:
        poll = asyncio.create_task(client.get("/agent/v1/poll?wait=50", headers=port.token()))
        await port.held(1)
        port.world.gateway.close()
        port.server.stop()
        async with asyncio.timeout(5):
            answer = await poll
            await port.serving
    assert (answer.status_code, answer.json()) == (200, {"mail": False})


async def test_a_poll_whose_agent_hung_up_is_not_held_and_takes_no_mail(port: Port) -> None:
    _, writer = await port.raw()
    head = f"GET /agent/v1/poll?wait=50 HTTP/1.1\r\nhost: x\r\nauthorization: {port.token()['authorization']}\r\n\r\n"
    writer.write(head.encode())
    await port.held(1)
    writer.transport.abort()
    await port.held(0)
    port.world.gateway.mailroom.wake(AGENT)
    assert port.world.gateway.mailroom.with_mail == 1


@pytest.mark.parametrize("lines_at_once", [1, 2 * MAX_HEAD // 1_000])
async def test_a_head_without_end_is_cut_off(port: Port, lines_at_once: int) -> None:
    """However it is cut into packets."""
    reader, writer = await port.raw()
    first, line = b"GET / HTTP/1.1\r\n", b"x: " + b"y" * 1_000 + b"\r\n"
    with contextlib.suppress(ConnectionError):
        for n in range(0, 2 * MAX_HEAD // 1_000, lines_at_once):
            writer.write((b"" if n else first) + line * lines_at_once)
            await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_a_head_that_does_not_come_ends_the_connection(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HEAD_SECONDS", 0.2)
    reader, writer = await port.raw()
    writer.write(b"GET / HTTP/1.1\r\nx: ")
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_plain_http_and_noise_are_counted_and_harm_nobody(port: Port) -> None:
    for noise in (b"GET / HTTP/1.1\r\n\r\n", secrets.token_bytes(500), b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        writer.write(noise)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
    async with port.client() as client:
        assert (await client.get("/v1/about")).status_code == 200
    assert 'keyturn_gateway_handshakes_total{outcome="failed"}' in port.world.parts.metrics.page().decode()


async def test_the_address_is_free_again_after_a_stop(port: Port) -> None:
    async with port.client() as client:
        await client.get("/v1/about")
    port.server.stop()
    await port.serving
    (again,) = bind([("127.0.0.1", port.number)])
    again.close()


def test_an_address_that_is_taken_is_an_error_and_leaves_nothing_bound() -> None:
    (first,) = bind([("127.0.0.1", 0)])
    first.listen()
    with pytest.raises(OSError, match="in use"):
        bind([("127.0.0.1", 0), ("127.0.0.1", first.getsockname()[1])])
    first.close()
