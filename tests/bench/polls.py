"""What an empty poll costs the gateway's process, and what a held one keeps: ours beside the bare framework."""

import asyncio
import resource
import ssl
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from libs.wire.agent_api import MAX_HOLD_SECONDS
from libs.wire.ids import Noun, new_id
from services.api.agent_door.tokens import LIFETIME_SECONDS, SessionTokens
from tests.bench.polled import SECRET
from tests.bench.rows import Row, Table
from tests.bench.served import Served, certificate, served

AIM = 1.25
ROUNDS, POLLS, CONNECTIONS = 18, 1_200, 4
POLLS_A_TOKEN = LIFETIME_SECONDS // MAX_HOLD_SECONDS
HELD = (1_000, 5_000)
_OPENING = 100
_SPARE_FILES = 200
_ALL_HELD_SECONDS = 60.0
_ANSWER = b'{"mail":false}'

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def empty(folder: Path) -> Table:
    """CPU of an empty poll, in rounds that take turns, so that whatever else this machine does meets all alike.

    An agent shows one token for some twelve polls; the gateway remembers it. The row of new tokens has none remembered.
    """
    certificate(folder)
    costs: dict[str, list[float]] = {"raw": [], "ours": [], "ours_new_token": []}
    with served("raw", folder) as raw, served("ours", folder) as ours:
        turns = (("raw", raw, POLLS_A_TOKEN), ("ours", ours, POLLS_A_TOKEN), ("ours_new_token", ours, 1))
        for number in range(ROUNDS + 1):
            first = number % len(turns)
            for name, server, polls in turns[first:] + turns[:first]:
                cost = asyncio.run(_round(server, polls))
                if number:  # the first round warms up
                    costs[name].append(cost)
    median = {name: statistics.median(each) for name, each in costs.items()}
    low, ratio, high = _ratios(costs["ours"], costs["raw"])
    new_token = _ratios(costs["ours_new_token"], costs["raw"])[1]
    return Table(
        "An empty poll: CPU of the server's process",
        (
            Row("empty_poll_cpu_us_raw", round(median["raw"], 1), "raw ASGI on the same stack, µs"),
            Row("empty_poll_cpu_us_ours", round(median["ours"], 1), f"the gateway, {POLLS_A_TOKEN} polls a token, µs"),
            Row("empty_poll_cpu_us_ours_new_token", round(median["ours_new_token"], 1), "a new token each time, µs"),
            Row("empty_poll_ratio", round(ratio, 3), f"the gateway to raw ASGI, median (aim {AIM})"),
            Row("empty_poll_ratio_low", round(low, 3), "  a quarter of the rounds were below"),
            Row("empty_poll_ratio_high", round(high, 3), "  a quarter of the rounds were above"),
            Row("empty_poll_ratio_new_token", round(new_token, 3), "a new token each time to raw ASGI, median"),
        ),
    )


def held(folder: Path) -> tuple[Table, list[str]]:
    """Resident memory of a held poll, each in a fresh process; and in sentences what could not be opened here."""
    certificate(folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows, lacking = [], []
    try:
        for count in HELD:
            if hard < count + _SPARE_FILES:
                lacking.append(
                    f"{count} held polls are not measured: a process here may open {hard} files (ulimit -n)."
                )
                continue
            for name, says in (("raw", "raw ASGI"), ("ours", "the gateway")):
                with served(name, folder) as server:
                    kept = asyncio.run(_held(server, count)) / 1_000
                rows.append(Row(f"held_poll_kb_{name}_at_{count}", round(kept, 1), f"{says}, {count} held, kB each"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return Table("A held poll: resident memory of the server's process", tuple(rows)), lacking


def _ratios(ours: Sequence[float], raw: Sequence[float]) -> list[float]:
    """The quartiles of the rounds' own ratios."""
    return statistics.quantiles((mine / bare for mine, bare in zip(ours, raw, strict=True)), n=4)


def _requests(wait: int, tokens: int) -> list[bytes]:
    """One agent's requests, each with another token of its."""
    made, agent, now = SessionTokens((SECRET,)), new_id(Noun.AGENT), time.time_ns() // 1_000_000
    lines = (
        f"GET /agent/v1/poll?wait={wait} HTTP/1.1",
        "host: keyturn:7272",
        "authorization: Bearer {token}",
        "accept: application/json",
        "user-agent: keyturn-agent/bench",
    )
    text = "\r\n".join(lines) + "\r\n\r\n"
    # Each is newer than the one before, as an agent's are, and none is of a time that has not come.
    return [text.format(token=made.make(agent, now - 1_000 * number)).encode() for number in reversed(range(tokens))]


async def _round(server: Served, polls_a_token: int) -> float:
    """Microseconds of the server's CPU for each empty poll."""
    each = POLLS // CONNECTIONS
    requests = [_requests(0, each // polls_a_token) for _ in range(CONNECTIONS)]
    streams = [await _open(server.port) for _ in range(CONNECTIONS)]
    before = server.ask("cpu")
    async with asyncio.TaskGroup() as group:
        for stream, tokens in zip(streams, requests, strict=True):
            group.create_task(_poll(stream, (token for token in tokens for _ in range(polls_a_token))))
    spent = server.ask("cpu") - before
    for _, writer in streams:
        writer.transport.abort()
    return spent / (each * CONNECTIONS) * 1e6


async def _held(server: Served, count: int) -> float:
    """Bytes of the server's resident memory for each held poll, once all are held at the same time."""
    before = server.ask("rss")
    streams: list[Stream] = []
    async with asyncio.TaskGroup() as group:
        polling: list[asyncio.Task[None]] = []
        while len(streams) < count:
            wanted = min(_OPENING, count - len(streams))
            opened = await asyncio.gather(*(_open(server.port) for _ in range(wanted)))
            streams += opened
            polling += [group.create_task(_poll(stream, _again(MAX_HOLD_SECONDS))) for stream in opened]
        async with asyncio.timeout(_ALL_HELD_SECONDS):
            while server.ask("held") != count:  # noqa: ASYNC110 - it is another process that holds them
                await asyncio.sleep(0.2)
        kept = server.ask("rss") - before
        for task in polling:
            task.cancel()
    for _, writer in streams:
        writer.transport.abort()
    return kept / count


def _again(wait: int) -> Iterator[bytes]:
    (request,) = _requests(wait, 1)
    while True:
        yield request


async def _open(port: int) -> Stream:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, limit=4_096)


async def _poll(stream: Stream, requests: Iterator[bytes]) -> None:
    """Polls with each of these, one after the other."""
    reader, writer = stream
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"the server answered {head!r}")
        await reader.readexactly(len(_ANSWER))
