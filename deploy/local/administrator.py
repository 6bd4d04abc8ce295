"""The operator's commands (`python -m deploy.admin`), run as an operator would: as a process with its own log."""

import shutil
import sys
from pathlib import Path

from deploy.local.errors import StartError
from deploy.local.processes import Process, log_tail

ADMIN_SECONDS = 120.0


class Administrator:
    """Makes what the first start needs, with the commands that a real installation uses too."""

    def __init__(self, *, root: Path, home: Path, log: Path, hold: int | None) -> None:
        self._root = root
        self._home = home
        self._log = log
        self._hold = hold

    def run(self, *words: str) -> None:
        """Runs one command to its end. Raises StartError with what it said."""
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        process = Process(
            f"admin {words[0]}",
            [sys.executable, "-m", "deploy.admin", *words],
            log=self._log,
            cwd=self._root,
            environment={"PATH": "/usr/bin:/bin", "HOME": str(self._home), "LANG": "C.UTF-8", "PYTHONNOUSERSITE": "1"},
            hold=self._hold,
        )
        try:
            ended = process.wait(ADMIN_SECONDS)
        finally:
            process.stop()
        if not ended or process.status != 0:
            raise StartError(f"keyturn-server {words[0]} failed.\n{log_tail(self._log)}")

    def make_keys(self, keys: Path, recovery: Path) -> None:
        """Makes the folder of keys whole or not at all."""
        aside = keys.with_name(f"{keys.name}.new")
        shutil.rmtree(aside, ignore_errors=True)
        recovery.unlink(missing_ok=True)
        self.run("init", str(aside), "--recovery", str(recovery))
        aside.rename(keys)

    def set_up_store(self, keys: Path, url: str) -> None:
        """Makes collections, indexes and users on a store that has none yet."""
        self.run("store-setup", "--keys", str(keys), "--private", str(keys / "admin"), "--store-url", url)
