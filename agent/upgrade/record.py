"""What an agent remembers of releases, in its state folder.

    upgrade.json    the newest release that was kept here, the one on trial, and the one that was given back   0600

A damaged file counts as none: what it protects is then the release that runs, which is never below its own version.
"""

from pathlib import Path

from pydantic import Field, ValidationError

from agent.identity import write_whole
from libs.wire.agent_api import UpgradeNews
from libs.wire.model import Millis, Wire
from libs.wire.release import ReleaseVersion
from libs.wire.requests import Hash

_FILE = "upgrade.json"
TRIES = 3
APART = 86_400_000
"""Milliseconds between two tries of one release."""


class Trial(Wire):
    """A release that `turn.sh` was left to start."""

    release: ReleaseVersion
    sha256: Hash


class GivenBack(Wire):
    """A release that did not stay."""

    sha256: Hash
    times: int = Field(ge=1)
    last: Millis


class Record(Wire):
    """The file."""

    floor: ReleaseVersion | None = None
    trial: Trial | None = None
    given_back: GivenBack | None = None
    news: UpgradeNews | None = None

    def may_try(self, sha256: str, now: int) -> bool:
        """Whether a release may be taken now; one that was given back has a few tries, with time between them."""
        back = self.given_back
        if back is None or back.sha256 != sha256:
            return True
        return back.times < TRIES and not back.last <= now < back.last + APART

    def went_back(self, trial: Trial, news: UpgradeNews, now: int) -> "Record":
        """The release on trial was given back."""
        before = self.given_back
        times = before.times + 1 if before is not None and before.sha256 == trial.sha256 else 1
        back = GivenBack(sha256=trial.sha256, times=times, last=now)
        return self.model_copy(update={"trial": None, "given_back": back, "news": news})


def read_record(state: Path) -> Record:
    """What is remembered."""
    try:
        return Record.model_validate_json((state / _FILE).read_bytes())
    except (OSError, ValidationError):
        return Record()


def write_record(state: Path, record: Record) -> None:
    """Durable when this returns.

    Raises:
        OSError: the disk refuses.
    """
    write_whole(state / _FILE, record.to_bytes())
