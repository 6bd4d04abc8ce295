"""A runtime on its way: its pieces in one file of the state folder, so that a cut or a restart goes on where it was.

    upgrade.part    the bytes so far, named by the hash that they shall have     0600

Nothing of it counts before the whole has the hash of the release's statement.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from agent.upgrade.offer import UpgradeError
from libs.wire.agent_api import PIECE_BYTES
from libs.wire.reasons import UpgradeTrouble
from libs.wire.release import ReleaseStatement


@dataclass(frozen=True)
class Download:
    """One runtime's bytes below a state folder. What belongs to another one is taken away at the first look."""

    state: Path
    said: ReleaseStatement

    @property
    def file(self) -> Path:
        return self.state / f"upgrade-{self.said.sha256[:16]}.part"

    @property
    def offset(self) -> int:
        """From where on bytes are missing, always a multiple of `PIECE_BYTES` before the end."""
        try:
            size = self.file.stat().st_size
        except FileNotFoundError:
            return 0
        return size if size == self.said.size else size - size % PIECE_BYTES

    @property
    def complete(self) -> bool:
        return self.offset == self.said.size

    def tidy(self) -> None:
        """Takes away what was left of other runtimes."""
        for path in self.state.glob("upgrade-*.part"):
            if path != self.file:
                path.unlink(missing_ok=True)

    def add(self, offset: int, piece: bytes) -> None:
        """Keeps the bytes from `offset` on.

        Raises:
            UpgradeError: `upgrade_damaged`: it has another length than it must have.
            OSError: the disk refuses.
        """
        if len(piece) != min(PIECE_BYTES, self.said.size - offset):
            raise UpgradeError(UpgradeTrouble.DAMAGED, f"{len(piece)} bytes came for those at {offset}")
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.ftruncate(descriptor, offset)
            written = 0
            while written < len(piece):
                written += os.pwrite(descriptor, piece[written:], offset + written)
        finally:
            os.close(descriptor)

    def check(self) -> None:
        """Returns when the whole is what the release signed.

        Raises:
            UpgradeError: `upgrade_damaged`; the file is gone then.
        """
        with self.file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != self.said.sha256:
            self.drop()
            raise UpgradeError(UpgradeTrouble.DAMAGED, "the whole has another hash than the release says")

    def drop(self) -> None:
        self.file.unlink(missing_ok=True)
