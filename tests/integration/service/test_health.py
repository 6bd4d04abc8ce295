"""The three paths over a real socket, and what a stranger may send."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from libs.service.health import Health, HealthServer
from libs.telemetry.metrics import Metrics


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def server(health: Health) -> AsyncIterator[HealthServer]:
    server = HealthServer(health, Metrics("gateway", "1"), "127.0.0.1", 0)
    task = asyncio.create_task(server.run())
    await server.listening.wait()
    yield server
    task.cancel()
    await asyncio.wait([task])


async def get(server: HealthServer, path: str, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, f"http://127.0.0.1:{server.port}{path}")


async def test_it_is_alive_and_says_what_it_waits_for(server: HealthServer, health: Health) -> None:
    step = health.step("broker", "waiting for the broker")
    assert (await get(server, "/livez")).status_code == 200
    answer = await get(server, "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "parts": {"broker": {"ready": False, "says": "waiting for the broker"}}}
    step.done("connected")
    answer = await get(server, "/readyz?verbose")
    assert answer.status_code == 200
    assert answer.json()["parts"]["broker"]["says"] == "connected"


async def test_metrics_are_scraped(server: HealthServer) -> None:
    answer = await get(server, "/metrics")
    assert answer.status_code == 200
    assert "keyturn_build_info" in answer.text


async def test_anything_else_is_refused(server: HealthServer) -> None:
    assert (await get(server, "/")).status_code == 404
    assert (await get(server, "/livez", "POST")).status_code == 405
    head = await get(server, "/livez", "HEAD")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "raw", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\xff\n", b"G" * 10_000, b"GET / HTTP/1.1\r\n"]
)
async def test_noise_ends_its_connection_and_nothing_else(server: HealthServer, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(raw)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert json.loads((await get(server, "/readyz")).content)["ready"]
