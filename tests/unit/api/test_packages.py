"""Packages: the runtime's bytes from the store, the tail from the bundler, and one hash over both."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from libs.broker.topology import QueueName
from libs.store.memory.faults import Effect
from libs.store.runtimes import CHUNK_BYTES, Runtimes
from libs.store.schema import CollectionName
from libs.wire.requests import ComposeContent, Composed, Declined, Platform, Request
from libs.wire.seal import Context, Purpose, seal
from libs.wire.secret import Secret
from tests.unit.api.world import NOW, World

ZIP = bytes(range(256)) * (CHUNK_BYTES // 256) + b"the rest of the prefix" + b"directory"
PREFIX = len(ZIP) - len(b"directory")
TAIL = b"agent.conf and canary-enrolment-token"


def composed(request: Request) -> Composed:
    assert isinstance(request.content, ComposeContent)
    content = request.content
    context = Context(content.package, content.token, Purpose.PACKAGE)
    sealed = seal(Secret(TAIL), context, [X25519PublicKey.from_public_bytes(content.recipient)])
    return Composed(
        package=content.package,
        runtime=hashlib.sha256(ZIP).hexdigest(),
        prefix_bytes=PREFIX,
        tail=sealed.boxes[0].box,
        runtime_version="1.0",
        expires_at=NOW,
    )


async def publish(world: World) -> None:
    assert await Runtimes(world.admin).publish(ZIP, Platform.LINUX, "1.0", PREFIX, now=NOW)


async def test_a_package_is_prefix_and_tail_with_their_hash(world: World, people: dict[str, dict[str, str]]) -> None:
    await publish(world)
    body = {"platform": "linux", "user_name": "ben"}
    async with world.answering(QueueName.PACKAGES, composed) as heard:
        answers = [await world.client.post("/v1/packages", json=body, headers=people["ben"]) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.content == ZIP[:PREFIX] + TAIL
        assert answer.headers["x-keyturn-sha256"] == hashlib.sha256(answer.content).hexdigest()
        assert answer.headers["content-length"] == str(len(answer.content))
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["content-disposition"] == 'attachment; filename="keyturn-agent-linux-ben.zip"'
    contents = [request.content for request in heard]
    assert [each.package for each in contents if isinstance(each, ComposeContent)] == [
        answer.headers["x-keyturn-package"] for answer in answers
    ]
    first = contents[0]
    assert isinstance(first, ComposeContent)
    assert (first.server_name, first.server_port) == ("keyturn.example", 7272)
    assert first.bounds.user_names == ("ben",)
    assert "canary" not in world.documents()


async def test_a_damaged_runtime_is_not_streamed(world: World, people: dict[str, dict[str, str]]) -> None:
    await publish(world)
    chunks = world.admin.collection(CollectionName.CHUNKS)
    await chunks.update(f"{hashlib.sha256(ZIP).hexdigest()}:00001", set={"data": b"something else"})
    async with world.answering(QueueName.PACKAGES, composed):
        body = {"platform": "linux", "user_name": "ada"}
        answer = await world.client.post("/v1/packages", json=body, headers=people["ada"])
    assert (answer.status_code, answer.json()["code"]) == (503, "runtime_damaged")


async def test_a_runtime_that_is_not_there_is_not_streamed(world: World, people: dict[str, dict[str, str]]) -> None:
    async with world.answering(QueueName.PACKAGES, composed):
        body = {"platform": "linux", "user_name": "ada"}
        answer = await world.client.post("/v1/packages", json=body, headers=people["ada"])
    assert (answer.status_code, answer.json()["code"]) == (503, "runtime_damaged")


@pytest.mark.parametrize(
    ("who", "user_name", "status", "code"),
    [("ben", "ada", 403, "not_allowed"), ("ada", "nobody-here", 422, "user_name_unknown")],
)
async def test_for_whom_a_package_is_not_built(  # noqa: PLR0917 - a table's columns
    world: World, people: dict[str, dict[str, str]], who: str, user_name: str, status: int, code: str
) -> None:
    async with world.answering(QueueName.PACKAGES, composed) as heard:
        body = {"platform": "linux", "user_name": user_name}
        answer = await world.client.post("/v1/packages", json=body, headers=people[who])
    assert (answer.status_code, answer.json()["code"], heard) == (status, code, [])


async def test_the_bundlers_refusal_keeps_its_code(world: World, people: dict[str, dict[str, str]]) -> None:
    missing = Declined(code="runtime_missing", sentence="No runtime was published for it.")
    async with world.answering(QueueName.PACKAGES, lambda _: missing):
        body = {"platform": "windows", "user_name": "ada"}
        answer = await world.client.post("/v1/packages", json=body, headers=people["ada"])
    assert (answer.status_code, answer.json()["code"]) == (409, "runtime_missing")


async def test_a_store_that_fails_while_the_runtime_is_read_leaves_nothing_half_read(
    world: World, people: dict[str, dict[str, str]]
) -> None:
    await publish(world)
    faults = world.parts.store.faults  # type: ignore[attr-defined]
    body = {"platform": "linux", "user_name": "ben"}
    seen = set()
    async with world.answering(QueueName.PACKAGES, composed):
        for n in range(1, 12):
            faults.fail_at(n, Effect.BEFORE)
            answer = await world.client.post("/v1/packages", json=body, headers=people["ben"])
            assert answer.status_code == 503 or answer.content == ZIP[:PREFIX] + TAIL
            seen.add(answer.status_code)
    assert seen == {200, 503}
