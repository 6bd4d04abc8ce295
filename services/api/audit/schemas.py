"""What was done, by whom, when."""

from typing import Any

from pydantic import Field

from services.api.fields import Moment, View


class WhoView(View):
    id: str
    name: str
    via: str
    address: str


class RecordView(View):
    id: str
    at: Moment
    service: str = Field(description="Which service wrote it: gateway, scheduler or bundler.")
    action: str
    who: WhoView | None
    account: str | None
    resource: str | None
    task: str | None
    detail: dict[str, Any]
