"""Enrolments that wait for a person, or waited."""

from pydantic import Field

from libs.store.enrolments import EnrolmentState
from libs.wire.requests import Platform
from services.api.fields import Moment, Ref, View


class EnrolmentView(View):
    id: str
    state: EnrolmentState
    sentence: str
    host_name: str = Field(description="What the machine calls itself.")
    system: str
    platform: Platform
    address: str = Field(description="Where the gateway saw it.")
    key: str = Field(description="SHA-256 of the machine's key.")
    resource_name: str
    for_resource: Ref | None = Field(description="The known resource whose agent it is to become; null: a new one.")
    user_name: str
    package: str | None
    asked_at: Moment
    decided_at: Moment | None
    decided_by: Ref | None
