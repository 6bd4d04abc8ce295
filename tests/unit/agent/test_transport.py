"""The agent's side of HTTPS: which answers count, what stands in the way, and whose clock signs."""

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, generate_private_key

from agent.pace import Pace
from agent.transport import InTheWayError, NoContactError, RefusedError, Transport
from agent.trust import Package, PackageError
from libs.wire.agent_api import FetchAnswer, FetchRequest, PollAnswer, Problem
from libs.wire.http_signature import verify

AGENT = "agt_" + "a" * 26
KEY = generate_private_key(SECP256R1())
NOW = 1_764_044_000_000
Server = Callable[[httpx.Request], httpx.Response]


def transport(server: Server, now: int = NOW) -> Transport:
    return Transport(
        server="keyturn",
        port=7272,
        tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        wire=httpx.MockTransport(server),
        key=KEY,
        agent=AGENT,
        clock=lambda: now,
    )


def problem(code: str, status: int = 401, **more: object) -> httpx.Response:
    body = {"title": "Refused", "status": status, "code": code, **more}
    return httpx.Response(status, content=json.dumps(body), headers={"content-type": "application/problem+json"})


async def fetch(server: Server, now: int = NOW) -> FetchAnswer:
    return await transport(server, now).send_signed("/agent/v1/fetch", FetchRequest(agent=AGENT), FetchAnswer)


def public(key: str) -> EllipticCurvePublicKey | None:
    return KEY.public_key() if key == AGENT else None


async def test_a_signed_request_verifies_as_it_is_sent() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        assert verify(request.method, target, dict(request.headers), request.content, public, now=NOW).key == AGENT
        return httpx.Response(200, json={"jobs": []})

    assert (await fetch(server)).jobs == ()


@pytest.mark.parametrize("skew", [-864_000_000, 864_000_000])
async def test_an_agent_ten_days_off_signs_again_by_the_servers_clock(skew: int) -> None:
    created: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        created.append(request.headers["signature-input"])
        if len(created) == 1:
            return problem("clock_skew", server_time=NOW)
        verify("POST", "/agent/v1/fetch", dict(request.headers), request.content, public, now=NOW)
        return httpx.Response(200, json={"jobs": []})

    await fetch(server, NOW + skew)
    assert len(created) == 2


async def test_a_second_clock_skew_is_not_asked_again() -> None:
    asked = 0

    def server(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return problem("clock_skew", server_time=NOW)

    with pytest.raises(RefusedError):
        await fetch(server)
    assert asked == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<!DOCTYPE html><input name=csrf value=t0ken>"),
        httpx.Response(200, text="ok"),
        httpx.Response(200, json={"jobs": "many"}),
        httpx.Response(200, content=b"{", headers={"content-type": "application/json"}),
        httpx.Response(302, headers={"location": "https://portal.example/"}),
        httpx.Response(504, html="<h1>Gateway Time-out</h1>"),
        httpx.Response(407, html="sign in"),
        httpx.Response(500, json={"detail": "t0ken"}),
        httpx.Response(403, content=b"{}", headers={"content-type": "application/problem+json"}),
    ],
)
async def test_what_is_not_the_servers_answer_does_not_count_and_is_not_quoted(answer: httpx.Response) -> None:
    with pytest.raises(InTheWayError) as error:
        await fetch(lambda _: answer)
    assert "t0ken" not in str(error.value)


async def test_an_endless_answer_is_cut_off() -> None:
    def server(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"x" * 9_000_000, headers={"content-type": "application/json"})

    with pytest.raises(InTheWayError):
        await fetch(server)


async def test_a_cut_is_no_contact() -> None:
    def server(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("cut")

    with pytest.raises(NoContactError):
        await transport(server).poll("/agent/v1/poll?wait=5", "token", PollAnswer, hold=5)


async def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent.pem")
    assert (await fetch(lambda _: httpx.Response(200, json={"jobs": []}))).jobs == ()


def test_a_package_without_its_files_says_so(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"task\.pem"):
        Package.load(tmp_path)


def test_waits_grow_to_the_ceiling_and_start_anew() -> None:
    pace = Pace(ceiling=60.0, chance=lambda: 0.0)
    assert [pace.failed() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    pace.answered()
    assert pace.failed() == 0.5


def test_a_hold_is_learnt_from_a_cut_and_never_below_five_seconds() -> None:
    pace = Pace()
    assert pace.hold(50) == 50
    pace.cut_after(30)
    assert pace.hold(50) == 24
    pace.cut_after(3)
    assert pace.hold(50) == 5
    for _ in range(30):
        pace.held()
    assert pace.hold(50) == 50


@pytest.mark.parametrize(
    ("status", "needs"), [(403, True), (409, True), (408, False), (429, False), (500, False), (503, False)]
)
def test_a_refusal_tells_whether_trying_again_may_help(status: int, needs: bool) -> None:
    assert RefusedError(Problem(title="No.", status=status, code="token_used")).needs_a_person is needs
