"""What was done, by whom, when."""

from typing import Any

from pydantic import Field

from services.api.fields import Moment, Ref, View


class RecordView(View):
    id: str
    at: Moment
    service: str = Field(description="Which service wrote it: gateway, scheduler or bundler.")
    what: str = Field(description="What was done, as noun.verb.")
    who: Ref | None
    account: str | None
    resource: str | None
    task: str | None
    outcome: str
    reason: str | None
    address: str
    extra: dict[str, Any]
