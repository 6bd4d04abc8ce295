"""The second factor of a person."""

from typing import Annotated

from pydantic import Field, StringConstraints

from libs.wire.secret import Secret
from services.api.fields import Body, Moment, View, example

CodeText = Annotated[str, StringConstraints(min_length=6, max_length=64)]


class BeginBody(Body):
    model_config = example({"password": "a long pass phrase of my own", "code": "492 039"})

    password: Secret = Field(description="Your own, once more.")
    code: Secret | None = Field(default=None, description="Of the second factor that you have, if you have one.")


class FirstCodeBody(Body):
    model_config = example({"code": "492 039"})

    code: Secret = Field(description="The six digits that the app shows now.")


class BegunView(View):
    """Shown once. It counts when a first code was right."""

    secret: str = Field(description="Base32, for an app that takes no QR code.", repr=False)
    address: str = Field(description="`otpauth://…`, which the QR code holds.", repr=False)


class RecoveryView(View):
    """Shown once: each signs in once in the place of a code."""

    recovery_codes: tuple[str, ...] = Field(repr=False)


class SecondFactorView(View):
    on: bool
    since: Moment | None
    recovery_left: int = Field(description="How many recovery codes were not used.")
    required: bool = Field(description="Whether this server wants everybody to have one.")
