"""Agents, as their certificates and contacts tell."""

from pydantic import Field

from services.api.fields import Moment, Ref, View


class AgentView(View):
    id: str
    resource: Ref
    state: str = Field(description="`active` or `revoked`.")
    version: str
    last_seen: Moment | None
    enrolled_at: Moment
    expires_at: Moment = Field(description="When its certificate ends.")
