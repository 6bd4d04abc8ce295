"""What owners share, with whom, and how far."""

from typing import Literal, Self

from pydantic import Field, model_validator

from libs.store.shares import Level
from libs.wire.ids import AccountId, ResourceId
from libs.wire.requests import UserName
from services.api.fields import Body, Moment, Ref, View, example
from services.api.groups.schemas import GroupName


class ShareBody(Body):
    """One resource or one account, for one person or one group."""

    model_config = example({"resource": "res_aaaaaaaaaaaaaaaaaaaaaaaaaa", "group": "db-admins", "level": "use"})

    resource: ResourceId | None = Field(default=None, description="The resource, with all its accounts.")
    account: AccountId | None = Field(default=None, description="One account alone.")
    person: UserName | None = Field(default=None, description="A user's name.", examples=["eve"])
    group: GroupName | None = Field(default=None, description="A group's name.", examples=["db-admins"])
    level: Level = Field(
        description="`see` states and history; `use`: change, verify and reveal as well; `manage`: share as well."
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.resource is None) == (self.account is None):
            raise ValueError("give resource or account, one of the two")
        if (self.person is None) == (self.group is None):
            raise ValueError("give person or group, one of the two")
        return self


class ShareView(View):
    id: str
    resource: Ref
    account: Ref | None = Field(description="Null where the whole resource is shared.")
    kind: Literal["person", "group"]
    subject: Ref = Field(description="The person or the group.")
    level: Level
    shared_by: Ref
    created_at: Moment
