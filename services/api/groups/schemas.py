"""Groups of people."""

from typing import Annotated

from pydantic import Field, StringConstraints

from libs.wire.requests import UserName
from services.api.fields import Body, Moment, View, example

GroupName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class NewGroupBody(Body):
    model_config = example({"name": "db-admins"})

    name: GroupName = Field(
        description="Lower-case letters, digits, dot, underscore, dash; up to 64.", examples=["db-admins"]
    )


class MemberBody(Body):
    model_config = example({"user_name": "anna"})

    user_name: UserName = Field(examples=["ben"])


class GroupView(View):
    id: str
    name: str
    created_at: Moment


class MemberView(View):
    id: str = Field(description="The person's.")
    name: str
    since: Moment
