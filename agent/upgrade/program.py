"""The program's folder, as the agent and `turn.sh` share it: each name in it says one thing.

turn.sh          starts the program, and is the only one that puts one in place of another
runtime/         the program
rehearsal/       a newer one, unpacked, on which nothing depends yet
next/            a newer one, checked and rehearsed: taken at the next start
runtime.kept/    the one before, while the new one is on trial
trial            how many starts the new one still has; whoever is answered by the server takes this file away
went-back        the one before was put back
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from agent.host.children import clean_environment
from agent.host.durable import sync_folder
from agent.upgrade.offer import UpgradeError
from libs.wire.reasons import UpgradeTrouble
from libs.wire.release import RUNTIME_MANIFEST

TURN = "turn.sh"
NAME = "keyturn-agent"
_PATIENCE = 120


@dataclass(frozen=True)
class Program:
    """One folder with a program in it, such as /opt/keyturn-agent; `conf` is the settings' file."""

    folder: Path
    conf: Path

    @property
    def turns(self) -> bool:
        """Whether it was installed so that it can be turned; one that runs from its sources was not."""
        return (self.folder / TURN).is_file() and (self.folder / "runtime" / NAME).is_file()

    @property
    def rehearsal(self) -> Path:
        return self.folder / "rehearsal"

    @property
    def on_trial(self) -> bool:
        return (self.folder / "trial").exists()

    @property
    def went_back(self) -> bool:
        return (self.folder / "went-back").exists()

    def seen_back(self) -> None:
        """What the mark told is remembered elsewhere."""
        (self.folder / "went-back").unlink(missing_ok=True)

    def tidy(self) -> None:
        """Takes away a newer one that was not turned to."""
        for name in ("next", "rehearsal", "rehearsal.part"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def ready(self) -> None:
        """The rehearsed one is taken at the next start.

        Raises:
            OSError: the folder cannot be written.
        """
        self.rehearsal.rename(self.folder / "next")
        sync_folder(self.folder)

    def keep(self) -> None:
        """This program is the one from now on. The mark goes first: whatever is left then is only left over.

        Raises:
            OSError: the folder cannot be written; the trial goes on.
        """
        (self.folder / "trial").unlink(missing_ok=True)
        sync_folder(self.folder)
        shutil.rmtree(self.folder / "runtime.kept", ignore_errors=True)
        for name in (TURN, RUNTIME_MANIFEST):
            brought = self.folder / "runtime" / name
            if brought.is_file():
                aside = self.folder / f"{name}.new"
                shutil.copyfile(brought, aside)
                aside.replace(self.folder / name)

    def rehearse(self) -> None:
        """Returns when the newer one runs on this machine and can read its settings.

        Raises:
            UpgradeError: `upgrade_does_not_start`.
        """
        line = [str(self.rehearsal / NAME), "check-config", "--conf", str(self.conf)]
        environment = clean_environment(os.environ) | {"PYINSTALLER_RESET_ENVIRONMENT": "1"}
        try:
            done = subprocess.run(  # noqa: S603 - the release's own program, checked file by file
                line, env=environment, cwd="/", capture_output=True, timeout=_PATIENCE, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UpgradeError(UpgradeTrouble.DOES_NOT_START, str(error)) from error
        if done.returncode != os.EX_OK:
            said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()[:150]
            raise UpgradeError(UpgradeTrouble.DOES_NOT_START, f"status {done.returncode}: {said}")
