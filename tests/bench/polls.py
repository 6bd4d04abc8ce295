"""What an empty poll costs the gateway's process, and a held one keeps: ours beside the bare framework, in one run."""

import asyncio
import resource
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from libs.pki.issue import Use, issue_server, make_authority
from libs.wire.ids import Noun, new_id
from services.api.agent_door.tokens import SessionTokens
from tests.bench.polled import SECRET

ROUNDS, POLLS, CONNECTIONS = 8, 3_000, 4
HELD = (1_000, 5_000)
_OPENING = 100


@dataclass
class Served:
    """A server in its process."""

    process: "subprocess.Popen[str]"
    port: int

    def ask(self, what: str) -> float:
        """Its CPU seconds, or its resident bytes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


@contextmanager
def served(which: str, folder: Path) -> Iterator[Served]:
    """Starts and ends it."""
    command = [sys.executable, "-m", "tests.bench.polled", which, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Served(process, int(process.stdout.readline()))
        finally:
            process.communicate()


def certificate(folder: Path) -> None:
    """A P-256 certificate as the bundler issues them."""
    now = time.time_ns() // 1_000_000
    key = generate_private_key(SECP256R1())
    csr = CertificateSigningRequestBuilder().subject_name(Name([])).sign(key, SHA256()).public_bytes(Encoding.DER)
    pem = issue_server(csr, ["localhost"], make_authority(Use.SERVERS, now=now), now=now, days=7)
    (folder / "tls.pem").write_bytes(pem)
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def measure(folder: Path) -> dict[str, float]:
    """The rows of the report."""
    certificate(folder)
    with served("raw", folder) as raw, served("ours", folder) as ours:
        asyncio.run(_rounds(raw, 500))
        asyncio.run(_rounds(ours, 500))
        costs: dict[str, list[float]] = {"raw": [], "ours": []}
        for _ in range(ROUNDS):
            for name, server in (("raw", raw), ("ours", ours)):
                costs[name].append(asyncio.run(_rounds(server, POLLS)))
    rows = {f"empty_poll_cpu_us_{name}": round(statistics.median(each), 2) for name, each in costs.items()}
    ratios = [mine / bare for bare, mine in zip(costs["raw"], costs["ours"], strict=True)]
    rows["empty_poll_ratio_to_raw_asgi"] = round(statistics.median(ratios), 3)
    for count in HELD:
        for name in ("raw", "ours"):
            with served(name, folder) as server:
                rows[f"held_poll_kb_{name}_at_{count}"] = round(asyncio.run(_held(server, count)), 1)
    return rows


def _request(wait: int) -> bytes:
    token = SessionTokens((SECRET,)).make(new_id(Noun.AGENT), time.time_ns() // 1_000_000)
    lines = (
        f"GET /agent/v1/poll?wait={wait} HTTP/1.1",
        "host: keyturn:7272",
        f"authorization: Bearer {token}",
        "accept: application/json",
        "user-agent: keyturn-agent/bench",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _open(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, limit=4_096)


async def _rounds(server: Served, polls: int) -> float:
    """Microseconds of the server's CPU for each empty poll."""
    streams = [await _open(server.port) for _ in range(CONNECTIONS)]
    before = server.ask("cpu")
    await asyncio.gather(*(_poll(reader, writer, polls // CONNECTIONS) for reader, writer in streams))
    spent = server.ask("cpu") - before
    for _, writer in streams:
        writer.close()
    return spent / polls * 1e6


async def _poll(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
    request = _request(0)
    for _ in range(count):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(len(b'{"mail":false}'))


async def _held(server: Served, count: int) -> float:
    """Kilobytes of the server's resident memory for each held poll."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(20_000, count * 2),) * 2)
    before = server.ask("rss")
    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    while len(streams) < count:
        opened = await asyncio.gather(*(_open(server.port) for _ in range(min(_OPENING, count - len(streams)))))
        for _, writer in opened:
            writer.write(_request(50))
        streams += opened
    await asyncio.sleep(2)
    kept = server.ask("rss") - before
    for _, writer in streams:
        writer.transport.abort()
    return kept / count / 1_000
