"""Incidents as people read them at night."""

from pydantic import Field

from services.api.fields import Moment, View


class IncidentView(View):
    id: str
    kind: str = Field(description="`token_used_by_another_key`.")
    at: Moment
    sentence: str = Field(description="What happened.")
    next: str = Field(description="What to do.")
    host_name: str
    address: str
    user_name: str
    package: str | None
    token: str
    key: str = Field(description="SHA-256 of the key that came second.")
