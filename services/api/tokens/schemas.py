"""Enrolment tokens as people see them: what each admits, never the token itself."""

from enum import StrEnum

from pydantic import Field

from services.api.fields import Moment, Ref, View


class TokenState(StrEnum):
    ACTIVE = "active"
    SPENT = "spent"
    EXPIRED = "expired"
    REVOKED = "revoked"


class TokenView(View):
    id: str
    package: str | None
    state: TokenState
    user_names: tuple[str, ...] = Field(description="The user names that agent.conf may name.")
    uses: int = Field(description="How many machines it admits.")
    uses_left: int
    host_pattern: str | None = Field(description="What a machine must call itself.")
    networks: tuple[str, ...] = Field(description="Where a machine must be seen; empty: anywhere.")
    approval: bool = Field(description="Each enrolment waits for a person.")
    for_resource: str | None = Field(description="The known resource that it is for.")
    created_by: Ref
    created_at: Moment
    expires_at: Moment
