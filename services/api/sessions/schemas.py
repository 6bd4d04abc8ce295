"""Signing in and out."""

from pydantic import Field

from libs.wire.requests import UserName
from libs.wire.secret import Secret
from services.api.fields import Body, Moment, View, example
from services.api.users.schemas import UserView


class SignInBody(Body):
    model_config = example({"name": "ben", "password": "a long pass phrase of my own"})

    name: UserName
    password: Secret = Field(description="Taken as it is.")
    code: Secret | None = Field(
        default=None, description="Of your second factor, or a recovery code; `code_needed` says that it is missing."
    )


class ConfirmBody(Body):
    model_config = example({"password": "a long pass phrase of my own"})

    password: Secret = Field(description="Your own, that you sign in with.")
    code: Secret | None = Field(default=None, description="Of your second factor, if you have one.")


class SignedInView(View):
    """The token is shown once; the store keeps its hash."""

    token: str = Field(description="Send it as `Authorization: Bearer …`.", repr=False)
    expires_at: Moment
    user: UserView


class NewPasswordBody(Body):
    model_config = example({"own": "a long pass phrase of my own", "password": "another one, longer still"})

    own: Secret = Field(description="The password that you have now.")
    password: Secret = Field(description="The new one: 12 to 128 characters, as they are; none that would be guessed.")
    code: Secret | None = Field(default=None, description="Of your second factor, if you have one.")


class OwnSessionView(View):
    """Where you are signed in."""

    id: str
    created_at: Moment
    expires_at: Moment
    address: str
    via: str = Field(description="`page`, `command` or `api`.")
    here: bool = Field(description="The one that asks.")


class SessionView(View):
    user: UserView
    created_at: Moment
    expires_at: Moment
