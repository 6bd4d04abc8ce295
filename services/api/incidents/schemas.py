"""Incidents as people read them at night."""

from typing import Annotated

from pydantic import Field, StringConstraints

from libs.store.incidents import IncidentKind
from services.api.fields import Body, Moment, Ref, View, example


class CloseBody(Body):
    model_config = example({"reason": "Our own second try, after the first unzip failed."})

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        description="What it was, and what was done about it."
    )


class ClosedView(View):
    by: Ref
    at: Moment
    reason: str


class IncidentView(View):
    id: str
    kind: IncidentKind
    at: Moment
    sentence: str = Field(description="What happened.")
    next: str = Field(description="What to do.")
    host_name: str
    address: str
    user_name: str
    package: str | None
    token: str | None
    agent: str | None = Field(description="Of an identity on two machines.")
    key: str = Field(description="SHA-256 of the key that came second; empty where both have the same.")
    closed: ClosedView | None = Field(description="By whom, when and why; null while somebody should look at it.")
