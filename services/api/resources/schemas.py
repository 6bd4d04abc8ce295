"""Machines that have an agent."""

from pydantic import Field

from libs.store.shares import Level
from libs.wire.requests import Platform, UserName
from services.api.fields import Body, Moment, Ref, View, example


class AgentBrief(View):
    """The agent of a resource, as far as its contacts tell."""

    id: str
    state: str = Field(description="`active`, `quarantined`, `revoked` or `left`.")
    version: str
    last_seen: Moment | None = Field(description="The last contact; null before the first one.")


class HostView(View):
    """The machine in its own words: a hint, never an identity."""

    hostname: str
    system: str
    kernel: str
    machine: str
    libc: str


class HandOverBody(Body):
    model_config = example({"user_name": "anna"})

    user_name: UserName = Field(description="The new owner's.", examples=["ben"])


class ResourceView(View):
    id: str
    name: str
    platform: Platform
    owner: Ref
    agent: AgentBrief | None
    host: HostView | None
    observed_at: Moment | None = Field(description="When its agent last told of its accounts.")
    cut: bool = Field(description="It had more accounts than an agent tells of; the rest is not here.")
    created_at: Moment
    level: Level | None = Field(default=None, description="What you may do with all of it; a list does not tell.")
    rev: int
