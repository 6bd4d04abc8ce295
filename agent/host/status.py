"""The agent's own word on how it is, in a file that `status` and the install script read.

"Running" is said only after the first poll that the server answered: a process that exists and does nothing is not
well.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from agent.host.processes import birth_of

_FILE: Final = "status.json"


@dataclass(frozen=True, slots=True)
class Status:
    """Written by the agent whenever one of these changes. Times are Unix milliseconds by the host's clock."""

    pid: int
    birth: int
    """From `birth_of(pid)`, so that a file left by a dead agent does not speak for another process."""
    server: str
    started_at: int
    answered_at: int | None = None
    """When the server last answered a poll of this run."""
    problem: str | None = None
    """The latest failure in one sentence with its remedy, None while all is well."""
    needs_a_person: bool = False
    """Trying again does not help against it."""
    note: str | None = None
    """What else there is to say of the place at which the server is reached."""


def write_status(folder: Path, status: Status) -> None:
    """Put the file in place whole. It is for people and holds nothing that must survive, so it is not synced.

    Raises:
        OSError: the folder cannot be written.
    """
    aside = folder / f"{_FILE}.new"
    aside.write_text(json.dumps(asdict(status)), "utf-8")
    aside.chmod(0o600)
    aside.replace(folder / _FILE)


def read_status(folder: Path) -> Status | None:
    """The status of an agent that lives; None when none was written or its process is gone."""
    try:
        status = Status(**json.loads((folder / _FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return status if birth_of(status.pid) == status.birth else None


def sentence(status: Status | None) -> tuple[bool, str]:
    """Whether the agent is well, and a sentence: what `keyturn-agent status` prints."""
    if status is None:
        return False, "the agent is not running"
    if status.answered_at is None:
        why = status.problem or "no poll has been answered yet"
        return False, f"the agent is started but {status.server} has not answered it: {why}"
    if status.problem:
        return False, f"the agent runs, with a problem: {status.problem}"
    note = f"; {status.note}" if status.note else ""
    return True, f"the agent runs and {status.server} answers it{note}"
