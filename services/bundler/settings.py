"""What the bundler is told from outside, beside what every service is."""

from typing import Annotated

from pydantic import Field

from libs.service import settings


class Settings(settings.Settings):
    """Lives of certificates in days: an agent renews at two thirds, and so does the gateway.

    `agent_certificate_seconds` takes the place of the days where it is given, to see renewals happen.
    """

    agent_certificate_days: Annotated[int, Field(ge=1, le=397)] = 30
    agent_certificate_seconds: Annotated[int, Field(ge=5, le=34_300_800)] | None = None
    server_certificate_days: Annotated[int, Field(ge=1, le=397)] = 90

    @property
    def agent_certificate_life(self) -> int:
        """Of an agent's certificate, in seconds."""
        return self.agent_certificate_seconds or self.agent_certificate_days * 86_400
