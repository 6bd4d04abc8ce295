"""`keyturn-server` against a store that is up and has users."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.packaging.linux.statement import statement
from deploy.local.deployment import Deployment
from libs.store.mongo.store import MongoStore
from libs.store.runtimes import Runtimes
from libs.wire.requests import Platform
from libs.wire.sign import Prefix, sign
from tests.integration.bundler.conftest import RELEASE, RUNTIME
from tests.unit.bundler.runtimes import FILES, manifest_of, signed_runtime

pytestmark = pytest.mark.real


def operate(deployment: Deployment, root: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.admin", *words]
    where: list[str | Path] = ["--keys", deployment.keys, "--store-url", deployment.store.url]
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run([*command, *where], cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("runtime")
async def test_the_same_runtime_again(deployment: Deployment, store: MongoStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "again.zip").write_bytes(RUNTIME)
    done = operate(deployment, root, "runtime", "add", tmp_path / "again.zip")
    assert (done.returncode, done.stderr) == (0, "")
    assert "published already" in done.stdout
    newest = await Runtimes(store).newest(Platform.LINUX)
    assert newest is not None
    assert await Runtimes(store).whole(newest) == RUNTIME


@pytest.mark.usefixtures("runtime")
async def test_a_runtime_that_was_not_signed_so(
    deployment: Deployment, store: MongoStore, root: Path, tmp_path: Path
) -> None:
    before = await Runtimes(store).newest(Platform.LINUX)
    altered = signed_runtime(RELEASE, {**FILES, "keyturn-agent/more": (0o755, b"more")}, manifest_of(FILES))
    for name, raw in (("altered.zip", altered), ("garbage.zip", b"garbage")):
        (tmp_path / name).write_bytes(raw)
        refused = operate(deployment, root, "runtime", "add", tmp_path / name)
        assert (refused.returncode, refused.stdout) == (1, ""), name
        assert refused.stderr.count("\n") == 1, refused.stderr
    assert await Runtimes(store).newest(Platform.LINUX) == before


def stated(raw: bytes, release: Ed25519PrivateKey = RELEASE, *, now: int | None = None) -> bytes:
    """A release's statement about this zip, as it lies beside it."""
    said = statement(raw, manifest_of(FILES), now=time.time_ns() // 1_000_000 if now is None else now)
    return sign(said.to_bytes(), Prefix.STATEMENT, release).to_bytes()


async def test_a_runtime_is_offered_by_its_statement_and_taken_back(
    deployment: Deployment, store: MongoStore, root: Path, tmp_path: Path
) -> None:
    files = {**FILES, "keyturn-agent/glibc": (0o644, b"2.36\n")}
    raw = signed_runtime(RELEASE, files)
    file, beside = tmp_path / "new.zip", tmp_path / "new.zip.statement"
    file.write_bytes(raw)
    for wrong, says in (
        (b"no statement", "no statement of a release"),
        (stated(raw, Ed25519PrivateKey.generate()), "no statement of a release"),
        (stated(RUNTIME), "about another runtime"),
        (stated(raw, now=1_000), "was good until 1971"),
    ):
        beside.write_bytes(wrong)
        refused = operate(deployment, root, "runtime", "add", file)
        assert (refused.returncode, says in refused.stderr) == (1, True), refused.stderr
    name = hashlib.sha256(raw).hexdigest()
    assert "packages alone" in operate(deployment, root, "runtime", "add", file, "--packages-only").stdout
    beside.write_bytes(stated(raw))
    assert "Agents are offered it" in operate(deployment, root, "runtime", "add", file).stdout
    newest = await Runtimes(store).newest(Platform.LINUX)
    assert newest is not None
    assert (newest.id, newest.statement is not None) == (name, True)
    assert f"{name[:12]}  linux  0.1.0" in operate(deployment, root, "runtime", "list").stdout
    assert operate(deployment, root, "runtime", "withdraw", "abc").returncode == 1
    assert "is taken back" in operate(deployment, root, "runtime", "withdraw", name[:12]).stdout
    assert "taken back" in operate(deployment, root, "runtime", "list").stdout
    left = await Runtimes(store).newest(Platform.LINUX)
    assert left is None or left.id != name


async def test_the_store_may_be_set_up_again(deployment: Deployment, store: MongoStore, root: Path) -> None:
    again = operate(deployment, root, "store-setup")
    assert (again.returncode, again.stderr) == (0, "")
    await store.ping()
