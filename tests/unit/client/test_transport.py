"""What the client makes of answers, good and bad, from servers that are not ours too."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.client import models
from libs.client.client import Bounds, Client
from libs.client.errors import (
    ClientError,
    DamagedError,
    NotReachableError,
    NotTrustedError,
    RefusedError,
    UnavailableError,
    WrongUseError,
)
from libs.client.events import Event, read
from libs.client.transport import Transport, trusting
from libs.wire.requests import Platform

SERVER = "https://keyturn.example:7272"
Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer) -> Client:
    return Client(SERVER, seam=httpx.MockTransport(answer))


def user(n: int) -> dict[str, str]:
    return {"id": f"usr_{n}", "name": f"user-{n}", "role": "user", "created_at": "2025-11-25T04:00:00.000Z"}


def refused(status: int, code: str, detail: str) -> Answer:
    body = {"type": "about:blank", "title": "No", "status": status, "detail": detail, "code": code}
    return lambda _: httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


def test_pages_are_followed_to_the_end_or_to_the_limit() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        begin, count = int(request.url.params.get("cursor", 0)), int(request.url.params["limit"])
        items = [user(n) for n in range(begin, min(begin + count, 450))]
        following = str(begin + count) if begin + count < 450 else None
        return httpx.Response(200, json={"items": items, "next": following, "later": "a newer server's field"})

    assert [each.name for each in client(answer).users(limit=10_000)] == [f"user-{n}" for n in range(450)]
    assert len(client(answer).users(limit=201)) == 201


@pytest.mark.parametrize(
    ("answer", "kind", "word"),
    [
        (refused(409, "account_busy", "eve is changing it."), RefusedError, "eve is changing it."),
        (refused(503, "store_away", "The store does not answer."), UnavailableError, "store"),
        (refused(429, "slow_down", "Slow down."), UnavailableError, "Slow down"),
        (lambda _: httpx.Response(502, text="<html>Bad gateway</html>"), NotReachableError, "502"),
        (
            lambda _: httpx.Response(200, text="<html>A captive portal</html>"),
            NotReachableError,
            "other than a Keyturn",
        ),
        (lambda _: httpx.Response(200, json={"items": "no"}), NotReachableError, "other than a Keyturn"),
        (lambda _: httpx.Response(302, headers={"location": "https://elsewhere"}), NotReachableError, "302"),
    ],
)
def test_a_bad_answer_is_an_error_with_a_sentence(answer: Answer, kind: type[ClientError], word: str) -> None:
    with pytest.raises(kind) as caught:
        client(answer).users()
    assert type(caught.value) is kind
    assert word in str(caught.value)


def raising(error: Exception) -> Answer:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


def test_no_answer_at_all() -> None:
    with pytest.raises(NotReachableError, match="cannot be reached"):
        client(raising(httpx.ConnectError("refused"))).about()
    with pytest.raises(NotReachableError, match="cannot be reached"):
        client(raising(httpx.ConnectTimeout("slow"))).about()
    with pytest.raises(NotReachableError, match="did not answer") as caught:
        client(raising(httpx.ReadTimeout("slow"))).about()
    assert "look before you repeat" not in str(caught.value)
    with pytest.raises(NotReachableError, match="may or may not have been done"):
        client(raising(httpx.ReadError("cut"))).verify("acc_x")
    with pytest.raises(NotTrustedError, match="--ca"):
        client(raising(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))).about()


@pytest.mark.parametrize(
    "server",
    ["", "keyturn.example", "http://keyturn.example", "https://", "https://u:p@x", "https://x/path", "https://x:port"],
)
def test_an_address_that_is_none_is_named(server: str) -> None:
    with pytest.raises(WrongUseError, match="https://HOST:7272"):
        Client(server, seam=httpx.MockTransport(refused(500, "x_x", "never asked")))


def test_a_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.touch()
    for path in (empty, tmp_path / "not-there"):
        with pytest.raises(WrongUseError, match=path.name):
            trusting(path)


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://somebody.example:3128")
    monkeypatch.setenv("ALL_PROXY", "http://somebody.example:3128")
    found = Transport(SERVER, None, None)
    assert set(found._client._mounts.values()) <= {None}
    found.close()


def test_an_identifier_cannot_lead_elsewhere() -> None:
    asked: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return refused(404, "not_there", "No.")(request)

    with pytest.raises(ClientError):
        client(answer).task("../users?x=#")
    assert asked == [b"/v1/tasks/..%2Fusers%3Fx%3D%23"]


# ---- packages

ZIP = b"PK" + bytes(100_000)


def sending(body: bytes | Iterator[bytes], sha256: str | None) -> Answer:
    headers = {"x-keyturn-package": "pkg_x"} | ({"x-keyturn-sha256": sha256} if sha256 else {})
    return lambda _: httpx.Response(200, content=body, headers=headers)


def test_a_package_arrives_whole_and_private(tmp_path: Path) -> None:
    asked: list[dict[str, object]] = []
    target, digest = tmp_path / "agent.zip", hashlib.sha256(ZIP).hexdigest()
    target.write_text("the one before")

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return sending(ZIP, digest)(request)

    built = client(answer).build_package(Platform.LINUX, "ops", target, bounds=Bounds(uses=3))
    assert target.read_bytes() == ZIP
    assert target.stat().st_mode & 0o777 == 0o600
    assert (built.id, built.path, built.sha256, built.size) == ("pkg_x", target, digest, len(ZIP))
    assert asked == [{"platform": "linux", "user_name": "ops", "uses": 3}]
    assert list(tmp_path.iterdir()) == [target]


def cut() -> Iterator[bytes]:
    yield ZIP[:1_000]
    raise httpx.ReadError("cut")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (sending(ZIP, "0" * 64), DamagedError),
        (sending(ZIP, None), DamagedError),
        (sending(cut(), hashlib.sha256(ZIP).hexdigest()), NotReachableError),
        (refused(503, "runtime_damaged", "It is damaged."), UnavailableError),
    ],
)
def test_a_package_that_is_not_whole_leaves_what_was_there(
    tmp_path: Path, answer: Answer, kind: type[ClientError]
) -> None:
    target = tmp_path / "agent.zip"
    target.write_text("the one before")
    with pytest.raises(kind):
        client(answer).build_package(Platform.LINUX, "ops", target)
    assert target.read_text() == "the one before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="nowhere"):
        client(sending(ZIP, "0" * 64)).build_package(Platform.LINUX, "ops", tmp_path / "nowhere" / "agent.zip")


# ---- events


def events(text: str) -> list[Event | None]:
    return list(read(httpx.Response(200, text=text)))


def test_a_stream_is_read_line_by_line() -> None:
    text = 'event: again\ndata: {}\n\n: still here\n\nevent: task\r\ndata: {"id":"tsk_x",\ndata: "rev":3}\n\nid: 7\n\n'
    assert events(text) == [Event("again"), None, Event("task", {"id": "tsk_x", "rev": 3})]
    assert events("event: task\ndata: {}") == []  # cut in the middle
    with pytest.raises(NotReachableError, match="damaged"):
        events("data: {nonsense\n\n")


def test_waiting_does_not_hang_on_a_server_that_cuts_its_streams() -> None:
    looks = 0
    state: dict[str, Any] = {
        "id": "tsk_x",
        "kind": "reset",
        "sentence": "",
        "note": "",
        "offered_at": None,
        "ended_at": None,
    }
    state |= {"account": {"id": "a", "name": "b"}, "resource": {"id": "a", "name": "b"}, "requester": None}
    state |= {"requested_at": "2025-11-25T04:00:00Z", "opens": None, "reason": None, "detail": None, "remarks": []}

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal looks
        if request.url.path == "/v1/events":
            return httpx.Response(200, text="event: again\ndata: {}\n\n")
        looks += 1
        still = looks < 3
        return httpx.Response(200, json={**state, "state": "queued" if still else "done", "open": still})

    told: list[models.Task] = []
    assert client(answer).wait("tsk_x", 30, told.append).state == "done"
    assert [each.state for each in told] == ["queued", "done"]
