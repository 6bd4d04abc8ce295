"""The command `keyturn-server`, as an operator meets it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.admin", *words],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_init_and_check(tmp_path: Path) -> None:
    made = run("init", "keys", "--recovery", "recovery.key", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "take it offline" in made.stdout
    assert "trust-release" in made.stdout
    again = run("init", "keys", "--recovery", "recovery.key", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.count("\n") == 1
    assert "overwrites nothing" in again.stderr
    checked = run("check", "keys", cwd=tmp_path)
    assert checked.returncode == 1
    assert "release.pem is missing" in checked.stderr


def test_wrong_use(tmp_path: Path) -> None:
    assert run("init", "keys", cwd=tmp_path).returncode == 2
    assert list(tmp_path.iterdir()) == []
