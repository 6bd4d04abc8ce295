"""What Docker's own tool says of the compose file. No engine is needed for it."""

import shutil
import subprocess
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[3] / "deploy" / "docker-compose.yml"


def test_docker_compose_takes_the_file() -> None:
    tool = shutil.which("docker-compose")
    if tool is None:
        pytest.skip("docker-compose is not installed: apt-get install docker-compose")
    done = subprocess.run([tool, "-f", str(FILE), "config", "--quiet"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
