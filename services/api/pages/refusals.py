"""What a form says when what it asked for was refused."""

from collections.abc import Awaitable
from typing import Any

from pydantic import ValidationError

from services.api.errors import ConfirmFirstError, GatewayError, InvalidError
from services.api.pages.forms import problems
from services.api.problems import INVALID, said_of

Refusal = GatewayError | ValidationError


async def refusal_of(doing: Awaitable[Any]) -> Refusal | None:
    """Why it was not done, if it was not.

    Raises:
        ConfirmFirstError: the person says again who they are, on a page that then sends the form once more.
    """
    try:
        await doing
    except ConfirmFirstError:
        raise
    except (GatewayError, ValidationError) as error:
        return error
    return None


def refused(refusal: Refusal | None) -> dict[str, Any]:
    """What the form says of it."""
    if isinstance(refusal, ValidationError | InvalidError):
        return {"wrong": problems(refusal), "notice": None, "status": INVALID}
    said = None if refusal is None else said_of(refusal)
    values: dict[str, Any] = {"wrong": {}, "notice": None if said is None else said.detail}
    return values if said is None else {**values, "status": said.status}
