"""What the bundler is told from outside, beside what every service is."""

from typing import Annotated

from pydantic import Field

from libs.service import settings


class Settings(settings.Settings):
    """Lives of certificates in days: an agent renews at two thirds, and so does the gateway."""

    agent_certificate_days: Annotated[int, Field(ge=1, le=397)] = 30
    server_certificate_days: Annotated[int, Field(ge=1, le=397)] = 90
