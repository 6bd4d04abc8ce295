"""Packages: the zip that installs an agent."""

from pydantic import Field

from libs.wire.ids import ResourceId
from libs.wire.requests import HostPattern, Network, Platform, ServerName, UserName
from services.api.fields import Body, Moment, Ref, View, example


class PackageBody(Body):
    model_config = example(
        {"platform": "linux", "user_name": "ben", "uses": 20, "lifetime_seconds": 86400, "host_pattern": "dmz-*"}
    )

    platform: Platform
    user_name: UserName = Field(description="Under whom the machine is added.")
    server_name: ServerName | None = Field(default=None, description="How agents reach this server; else as you did.")
    server_port: int | None = Field(default=None, ge=1, le=65_535)
    schedule_interval: int = Field(default=60, ge=5, le=86_400, description="Seconds.")
    uses: int = Field(default=1, ge=1, le=10_000, description="How many machines the token admits.")
    lifetime_seconds: int = Field(default=86_400, ge=60, le=31_536_000, description="How long the token is good.")
    user_names: tuple[UserName, ...] = Field(
        default=(), max_length=99, description="Further user names that agent.conf may name; for administrators."
    )
    host_pattern: HostPattern | None = Field(
        default=None, description="What a machine must call itself, such as dmz-*; upper and lower case are the same."
    )
    networks: tuple[Network, ...] = Field(
        default=(), max_length=50, description="Where the gateway must see a machine, such as 10.20.0.0/16."
    )
    approval: bool = Field(default=False, description="Each enrolment waits until a person approves it.")
    for_resource: ResourceId | None = Field(
        default=None, description="The known resource whose agent the machine is to become, after an approval."
    )


class PackageView(View):
    """What was composed; its bytes are made at download and kept nowhere."""

    id: str
    platform: Platform
    user_name: str
    made_by: Ref
    server_name: str
    server_port: int
    schedule_interval: int
    uses: int = Field(description="How many machines the token admits.")
    uses_left: int
    created_at: Moment
    expires_at: Moment = Field(description="When the token ends.")
    runtime_version: str
    sha256: str = Field(description="Of the whole zip.")
    size: int
