"""A package: complete, the same each time, and with its token nowhere but in it."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.config import parse_config
from libs.store.memory.faults import Effect
from libs.store.packages import Packages
from libs.store.schema import CollectionName
from libs.store.tokens import Tokens
from libs.wire.encoding import from_base64
from libs.wire.ids import Noun, new_id
from libs.wire.release import PackageManifest
from libs.wire.requests import ComposeContent, Composed, Platform, TokenBounds
from libs.wire.seal import CannotOpenError, key_id
from libs.wire.secret import Secret
from libs.wire.sign import Prefix, Signed, verify
from services.bundler.agent_conf import agent_conf
from services.bundler.keys import ingredients
from services.bundler.linux.installer import installer
from services.bundler.package import Ingredients, package_tail
from services.bundler.runtime import check_runtime
from services.bundler.tokens import hashed, mint
from tests.unit.bundler.parts import CONFIGURATION, INGREDIENTS, PEM, RELEASE, RUNTIME, START, Parts
from tests.unit.bundler.runtimes import FILES, signed_runtime

STEPS = 10
"""The store's operations of one composition: runtime, its one chunk, the end of the audit's chain (a process's first
record looks for it: four windows of time, and what follows), audit, package, token.
"""


async def composed(parts: Parts, content: ComposeContent) -> tuple[Composed, bytes]:
    """The answer, and the whole zip as a gateway streams it."""
    answered = await parts.ask(content)
    assert answered.declined is None, answered.declined
    answer = Composed.model_validate(answered.answer)
    assert answer.runtime == hashlib.sha256(RUNTIME).hexdigest()
    return answer, RUNTIME[: answer.prefix_bytes] + parts.open_tail(content, answer.tail)


async def test_every_file_is_there_listed_and_signed() -> None:
    parts = Parts()
    await parts.publish()
    content = parts.compose_content()
    _, whole = await composed(parts, content)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        raw = archive.read("manifest.json")
        manifest = PackageManifest.model_validate_json(raw)
        signature = from_base64(archive.read("manifest.sig").decode().strip())
        assert verify(
            Signed(payload=raw, key=key_id(CONFIGURATION.public_key()), signature=signature),
            Prefix.PACKAGE,
            CONFIGURATION.public_key(),
        )
        assert {file.path for file in manifest.files} == names - {"manifest.json", "manifest.sig"}
        for file in manifest.files:
            assert hashlib.sha256(archive.read(file.path)).hexdigest() == file.sha256, file.path
            assert (archive.getinfo(file.path).external_attr >> 16) & 0o777 == file.mode, file.path
        token = archive.read("token").decode().strip()
        added = names - set(FILES)
    assert {"agent.conf", "trust.pem", "token", "installAgent-service.sh", "service/plain.sh", "keys/task.pem"} <= added
    assert (manifest.package, manifest.token) == (content.package, content.token)
    stored = await Tokens(parts.store).get(content.token)
    assert stored is not None
    assert stored.sha256 == hashlib.sha256(token.encode()).hexdigest()


async def test_everything_added_has_lf_alone() -> None:
    parts = Parts()
    await parts.publish()
    _, whole = await composed(parts, parts.compose_content())
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        for name in set(archive.namelist()) - set(FILES):
            assert b"\r" not in archive.read(name), name
    with pytest.raises(ValueError, match="LF"):
        Ingredients(trust=PEM, keys={}, installer={"installAgent-service.sh": b"#!/bin/sh\r\n"})


async def test_an_agent_reads_its_settings() -> None:
    content = Parts().compose_content(server_name="2001:db8::1", server_port=443, schedule_interval=30, user_name="a.b")
    text = agent_conf(content)
    config = parse_config(text, Path("agent.conf"))
    assert (config.server_name, config.server_port) == ("2001:db8::1", 443)
    assert (config.schedule_interval, config.user_name) == (30, "a.b")
    assert text.endswith(b"\n")
    lines = text.decode().splitlines()
    for key in ("ServerName", "ServerPort", "ScheduleInterval", "UserName"):
        (place,) = (n for n, line in enumerate(lines) if line.startswith(f"{key}="))
        assert lines[place - 1].startswith("# "), f"{key} has no line that explains it"


async def test_the_same_inputs_give_the_same_bytes() -> None:
    runtime, token, content = check_runtime(RUNTIME, RELEASE.public_key()), mint(), Parts().compose_content()
    one, other = (package_tail(content, token, runtime, INGREDIENTS, CONFIGURATION) for _ in range(2))
    assert one == other
    assert package_tail(content, mint(), runtime, INGREDIENTS, CONFIGURATION) != one


async def test_two_compositions_in_two_folders_have_the_same_hash(tmp_path: Path) -> None:
    """From files that lie elsewhere, were written in another order, and at another time."""
    token, content = mint(), Parts().compose_content()
    names = [
        "task.pem",
        "vault.pem",
        "recovery.pem",
        "release.pem",
        "agent-ca.pem",
        "configuration.pem",
        "server-ca.pem",
    ]
    found = []
    for folder, order in ((tmp_path / "one", names), (tmp_path / "an other", names[::-1])):
        folder.mkdir()
        for name in order:
            (folder / name).write_bytes(PEM)
        runtime = check_runtime(RUNTIME, RELEASE.public_key())
        tail = package_tail(content, token, runtime, ingredients(folder, installer), CONFIGURATION)
        (folder / "package.zip").write_bytes(RUNTIME[: runtime.directory.prefix_bytes] + tail)
        found.append(hashlib.sha256((folder / "package.zip").read_bytes()).hexdigest())
    assert found[0] == found[1]


async def test_the_package_is_listed_with_its_hash() -> None:
    parts = Parts()
    await parts.publish()
    content = parts.compose_content(bounds=TokenBounds(uses=3, lifetime_seconds=60, user_names=("ops", "anna")))
    answer, whole = await composed(parts, content)
    package = await Packages(parts.store).get(content.package)
    assert package is not None
    assert (package.sha256, package.size) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert answer.expires_at == package.expires == START + 60_000
    token = await Tokens(parts.store).get(content.token)
    assert token is not None
    assert (token.uses_left, token.user_names, token.expires) == (3, ("ops", "anna"), START + 60_000)
    assert parts.registry.get_sample_value("keyturn_package_builds_total", {"platform": "linux"}) == 1
    assert parts.registry.get_sample_value("keyturn_package_build_seconds_count") == 1
    tail_bytes = parts.registry.get_sample_value("keyturn_package_tail_bytes_total")
    assert tail_bytes == len(whole) - answer.prefix_bytes


async def test_the_plain_token_lies_nowhere_else() -> None:
    parts = Parts()
    await parts.publish()
    content = parts.compose_content()
    answered = await parts.ask(content)
    answer = Composed.model_validate(answered.answer)
    with zipfile.ZipFile(io.BytesIO(RUNTIME[: answer.prefix_bytes] + parts.open_tail(content, answer.tail))) as archive:
        token = archive.read("token").decode().strip()
    trust = (CollectionName.TOKENS, CollectionName.PACKAGES, CollectionName.RUNTIMES, CollectionName.AUDIT_BUNDLER)
    documents = [str(await parts.all_of(name)) for name in trust]
    seen = [json.dumps(answered.model_dump(mode="json")), *documents]
    assert hashed(Secret(token)) in "".join(seen), "the search sees what is there"
    assert token not in "".join(seen)
    with pytest.raises(CannotOpenError):
        parts.open_tail(content.model_copy(update={"token": new_id(Noun.TOKEN)}), answer.tail)


async def test_no_runtime_no_release_no_such_platform() -> None:
    parts = Parts()
    assert await parts.code(parts.compose_content()) == "runtime_missing"
    await parts.publish()
    assert await parts.code(parts.compose_content(platform=Platform.WINDOWS)) == "runtime_missing"
    parts.release = Ed25519PrivateKey.generate().public_key()
    assert await parts.code(parts.compose_content()) == "runtime_not_trusted"
    assert await parts.all_of(CollectionName.TOKENS) == []


async def test_a_runtime_that_was_altered_in_the_store() -> None:
    parts = Parts()
    await parts.publish()
    (chunk,) = await parts.admin.collection(CollectionName.CHUNKS).find(between=("runtime", "", "g"), limit=2)
    altered = chunk["data"][:100] + bytes([chunk["data"][100] ^ 1]) + chunk["data"][101:]
    await parts.admin.collection(CollectionName.CHUNKS).update(chunk["_id"], set={"data": altered})
    assert await parts.code(parts.compose_content()) == "runtime_not_trusted"
    assert await parts.all_of(CollectionName.TOKENS) == []
    await parts.publish()
    await composed(parts, parts.compose_content())


async def test_a_newer_runtime_is_taken() -> None:
    parts = Parts()
    await parts.publish()
    await composed(parts, parts.compose_content())
    parts.clock.at += 1
    newer = signed_runtime(RELEASE, {**FILES, "more": (0o644, b"1")})
    await parts.publish(newer)
    answered = await parts.ask(parts.compose_content())
    assert Composed.model_validate(answered.answer).runtime == hashlib.sha256(newer).hexdigest()


async def test_a_package_is_made_once() -> None:
    parts = Parts()
    await parts.publish()
    content = parts.compose_content()
    await composed(parts, content)
    before = await Tokens(parts.store).get(content.token)
    assert await parts.code(content) == "request_repeated"
    assert await Tokens(parts.store).get(content.token) == before


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("fault", range(1, STEPS + 2))
async def test_no_token_before_its_audit_record(fault: int, effect: Effect) -> None:
    parts = Parts()
    await parts.publish()
    parts.store.faults.fail_at(fault, effect)
    content = parts.compose_content()
    answered = await parts.ask(content)
    assert (answered.answer is None) is (fault <= STEPS)
    if answered.answer is None:
        audited = len(await parts.all_of(CollectionName.AUDIT_BUNDLER))
        packages = len(await parts.all_of(CollectionName.PACKAGES))
        tokens = len(await parts.all_of(CollectionName.TOKENS))
        assert audited >= packages >= tokens
    successor = Parts(parts.server, parts.clock)
    await composed(successor, successor.compose_content())


async def test_a_key_that_nothing_can_be_sealed_to() -> None:
    parts = Parts()
    await parts.publish()
    assert await parts.code(parts.compose_content(recipient=bytes(32))) == "recipient_invalid"
    other = X25519PrivateKey.generate().public_key().public_bytes_raw()
    content = parts.compose_content(recipient=other)
    answer = Composed.model_validate((await parts.ask(content)).answer)
    with pytest.raises(CannotOpenError):
        parts.open_tail(content, answer.tail)
