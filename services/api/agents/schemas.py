"""Agents, as their certificates and contacts tell."""

from pydantic import Field

from libs.wire.requests import RevokeReason
from services.api.fields import Body, Moment, Ref, View


class RevokeBody(Body):
    reason: RevokeReason = Field(description="Why, for the record; the machine's administrator reads it too.")


class AgentView(View):
    id: str
    resource: Ref
    state: str = Field(description="`active` or `revoked`.")
    version: str
    last_seen: Moment | None
    clock_skew_seconds: int | None = Field(
        description="How far the machine's clock is ahead of the server's at the last session; behind is negative."
        " Null where the agent has not told. Nothing depends on it."
    )
    enrolled_at: Moment
    expires_at: Moment = Field(description="When its certificate ends.")
    revoked_at: Moment | None = Field(description="Since when nothing of it counts any more.")
    revoked_because: str | None = Field(description="Why; empty until the scheduler has signed the revocation.")
