"""Tokens for programs."""

from typing import Annotated

from pydantic import Field, StringConstraints

from libs.store.access_tokens import Scope
from libs.wire.secret import Secret
from services.api.fields import Body, Moment, View, example

MOST_DAYS = 366
TokenName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]


class NewAccessTokenBody(Body):
    model_config = example(
        {"name": "nightly rotation", "scopes": ["use"], "days": 90, "password": "a long pass phrase of my own"}
    )

    name: TokenName = Field(description="What it is for, such as the program's name.", examples=["nightly rotation"])
    scopes: tuple[Scope, ...] = Field(
        min_length=1,
        max_length=5,
        description="`see`; `use` and `manage`, each with what is before it; `reveal`; `administer`: people, audit.",
        examples=[["use"]],
    )
    days: int = Field(default=30, ge=1, le=MOST_DAYS, description="How long it is good.")
    password: Secret = Field(description="Your own, once more.")
    code: Secret | None = Field(default=None, description="Of your second factor, if you have one.")


class AccessTokenView(View):
    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: Moment
    expires_at: Moment
    last_used_at: Moment | None = Field(description="To the minute; null where it was never used.")
    last_address: str


class MadeAccessTokenView(AccessTokenView):
    """The token is shown once; the store keeps its hash."""

    token: str = Field(description="Send it as `Authorization: Bearer …`.", repr=False)
