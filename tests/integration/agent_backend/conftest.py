"""A private /etc for each test, in a mount namespace that ends with it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
_INSIDE = """
set -e
mount --bind "$1/etc" /etc
trap 'cd /; umount -R /etc 2>/dev/null || true' EXIT
"$2" -m tests.integration.agent_backend.scenarios "$3"
"""

Scenario = Callable[[str], dict[str, Any]]


@pytest.fixture
def in_private_etc() -> Iterator[Scenario]:
    """Runs a scenario by name and gives its answer."""
    if os.geteuid() != 0:
        pytest.skip("a private /etc needs root")
    folder = Path(tempfile.mkdtemp(prefix="keyturn-etc-", dir="/var/tmp"))
    subprocess.run(["cp", "-a", "/etc", folder], check=True)

    def run(name: str) -> dict[str, Any]:
        done = subprocess.run(
            ["unshare", "-m", "--propagation", "private", "bash", "-c", _INSIDE, "_", folder, sys.executable, name],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    yield run
    subprocess.run(["chattr", "-i", folder / "etc/shadow"], check=False, capture_output=True)
    shutil.rmtree(folder)
