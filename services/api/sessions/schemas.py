"""Signing in and out."""

from pydantic import Field

from libs.wire.requests import UserName
from libs.wire.secret import Secret
from services.api.fields import Body, Moment, View
from services.api.users.schemas import UserView


class SignInBody(Body):
    name: UserName
    password: Secret = Field(description="Taken as it is.")
    code: Secret | None = Field(
        default=None, description="Of your second factor, or a recovery code; `code_needed` says that it is missing."
    )


class SignedInView(View):
    """The token is shown once; the store keeps its hash."""

    token: str = Field(description="Send it as `Authorization: Bearer …`.", repr=False)
    expires_at: Moment
    user: UserView


class SessionView(View):
    user: UserView
    created_at: Moment
    expires_at: Moment
