"""The virtual environment of the embedded store.

SecantusDB is GPL-2.0-only: it runs as a process of its own beside ours, from an environment of its own, and nothing
of it is ever imported. The environment is built aside from the hashed lock file and renamed. Its programs are started
as `python -m`, since the paths written into its scripts are those of the folder aside.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.errors import PartMissingError
from deploy.local.locks import exclusive

STAMP = "installed-lock"
# What pip needs to reach its index, taken from the caller.
PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "SSL_CERT_FILE", "HOME")


def ensure_store(root: Path) -> Path:
    """Returns the Python of `root`/.venv-store, which is made when it is missing or its lock file has changed.

    Raises PartMissingError, with pip's own words, when the packages cannot be had.
    """
    target = root / ".venv-store"
    lock = root / "requirements" / "store.txt"
    if not lock.exists():
        raise PartMissingError(f"{lock} is missing: it lists the embedded store with its hashes.")
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    with exclusive(root / "build" / "venv-store.lock"):
        stamp = target / STAMP
        if not stamp.exists() or stamp.read_text() != wanted:
            aside = target.with_name(".venv-store.new")
            shutil.rmtree(aside, ignore_errors=True)
            install(aside, lock)
            (aside / STAMP).write_text(wanted)
            shutil.rmtree(target, ignore_errors=True)
            aside.rename(target)
    return target / "bin" / "python"


def install(aside: Path, lock: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    # From the base interpreter, so that the new environment does not hang on the one that runs this.
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    commands: tuple[list[str | Path], ...] = (
        [base, "-m", "venv", aside],
        [aside / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock],
    )
    for command in commands:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise PartMissingError(f"The embedded store could not be installed. Python said:\n{done.stderr.strip()}")
