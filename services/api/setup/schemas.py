"""The first administrator."""

from typing import Annotated

from pydantic import Field, StringConstraints

from libs.wire.requests import UserName
from libs.wire.secret import Secret
from services.api.fields import Body, example


class SetupBody(Body):
    """The code comes from the file `setup-code` in the gateway's private folder."""

    model_config = example(
        {"code": "abcde-fghij-klmno-pqrst-uvwxy-2", "name": "ops", "password": "a long pass phrase of my own"}
    )

    code: Annotated[str, StringConstraints(pattern=r"^[a-z2-7-]{26,40}$")] = Field(
        description="The first-run set-up code, as the file shows it; dashes do not count.", repr=False
    )
    name: UserName = Field(description="The administrator's sign-in name.")
    password: Secret = Field(description="12 to 128 characters, taken as they are; none that would be guessed.")
