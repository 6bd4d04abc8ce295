"""What the scheduler is told from outside, beside what every service is."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from libs.domain.deadlines import LEASE
from libs.service import settings
from services.scheduler.reveals import FOR_ALL, PER_PERSON


class Settings(settings.Settings):
    """How long an agent may be silent with a job, how many reveals an hour allows, and the file that knows the epoch.

    The witness tells a store that was put back to an earlier copy. It lies where no backup of the store reaches.
    """

    lease_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] = LEASE
    reveals_per_person: Annotated[int, Field(ge=1, le=100_000)] = PER_PERSON
    reveals_for_all: Annotated[int, Field(ge=1, le=1_000_000)] = FOR_ALL
    witness: Path | None = None
