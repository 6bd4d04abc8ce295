"""Whether an offered release counts: decided by its statement alone, before anything is downloaded.

The gateway that shows it is believed in nothing. Of the two clocks, the host's and the server's, the later one counts
for a statement's end: one that is set wrong can keep a release away, and cannot bring an old one back.
"""

import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.wire.agent_api import UpgradeNews
from libs.wire.reasons import UpgradeTrouble
from libs.wire.release import ReleaseStatement, in_order, read_statement
from libs.wire.requests import Platform
from libs.wire.sign import BadSignatureError, Signed


class UpgradeError(Exception):
    """This release is not taken; the agent goes on as it is."""

    def __init__(self, code: UpgradeTrouble, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code, self.detail = code, detail

    def news(self, release: str) -> UpgradeNews:
        """What the server is told."""
        return UpgradeNews(release=release, code=self.code.value, detail=self.detail[:200])


@dataclass(frozen=True)
class Here:
    """What this machine can run, and the newest release that it has run."""

    machine: str
    libc: str  # such as "2.36"; empty where it is no glibc
    floor: str

    @classmethod
    def read(cls, floor: str) -> "Here":
        """This machine."""
        name, libc = platform.libc_ver()
        return cls(platform.machine(), libc if name == "glibc" else "", floor)


def examine(signed: Signed, releases: Sequence[Ed25519PublicKey], here: Here, *, now: int) -> ReleaseStatement:
    """The statement, once nothing speaks against the release. `now` in Unix milliseconds, the later of the two clocks.

    Raises:
        UpgradeError: why it is not taken.
    """
    try:
        said = read_statement(signed, releases)
    except BadSignatureError as error:
        raise UpgradeError(UpgradeTrouble.NOT_TRUSTED, str(error)) from error
    if in_order(said.release) < in_order(here.floor):
        raise UpgradeError(UpgradeTrouble.TOO_OLD, f"{here.floor} has run here")
    if now >= said.expires_at:
        raise UpgradeError(UpgradeTrouble.EXPIRED)
    if said.platform is not Platform.LINUX or said.machine != here.machine:
        raise UpgradeError(UpgradeTrouble.OTHER_MACHINE, f"it is for {said.machine}, this is {here.machine}")
    if _numbers(said.libc) > _numbers(here.libc):
        raise UpgradeError(UpgradeTrouble.LIBC_TOO_OLD, f"it needs {said.libc}, here is {here.libc or 'none'}")
    return said


def _numbers(libc: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"[0-9]+", libc)))
