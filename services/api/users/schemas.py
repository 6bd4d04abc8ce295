"""People who may sign in."""

from pydantic import Field

from libs.store.users import Role
from libs.wire.requests import UserName
from libs.wire.secret import Secret
from services.api.fields import Body, Moment, View, example


class NewUserBody(Body):
    model_config = example({"name": "anna", "password": "a first pass phrase for anna", "role": "auditor"})

    name: UserName = Field(description="Lower-case letters, digits, dot, underscore, at, dash; up to 64.")
    password: Secret = Field(description="12 to 128 characters, taken as they are; none that would be guessed.")
    role: Role = Role.USER


class ChangedUserBody(Body):
    """What is left out stays as it is."""

    model_config = example({"role": "operator"})

    role: Role | None = None
    disabled: bool | None = Field(default=None, description="True keeps the person out; what they own stays.")


class UserView(View):
    id: str
    name: str
    role: Role
    disabled: bool
    created_at: Moment
