"""What this server is, for anyone who asks."""

from pydantic import Field

from services.api.fields import Moment, View


class AboutView(View):
    name: str
    version: str
    setup_needed: bool = Field(description="There is no user yet: `POST /v1/setup`.")
    server_time: Moment
