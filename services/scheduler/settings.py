"""What the scheduler is told from outside, beside what every service is."""

from typing import Annotated

from pydantic import Field

from libs.domain.deadlines import LEASE
from libs.service import settings
from services.scheduler.reveals import FOR_ALL, PER_PERSON


class Settings(settings.Settings):
    """How long an agent may be silent with a job, and how many reveals an hour allows."""

    lease_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] = LEASE
    reveals_per_person: Annotated[int, Field(ge=1, le=100_000)] = PER_PERSON
    reveals_for_all: Annotated[int, Field(ge=1, le=1_000_000)] = FOR_ALL
