"""`keyturn-server` against a store that is up and has users."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.deployment import Deployment
from libs.store.mongo.store import MongoStore
from libs.store.runtimes import Runtimes
from libs.wire.requests import Platform
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


async def test_the_store_may_be_set_up_again(deployment: Deployment, store: MongoStore, root: Path) -> None:
    again = operate(deployment, root, "store-setup")
    assert (again.returncode, again.stderr) == (0, "")
    await store.ping()
