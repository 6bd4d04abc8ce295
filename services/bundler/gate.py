"""What the bundler believes: the exact bytes that the gateway signed, of the kind that was asked for, in time."""

from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from libs.wire.requests import (
    CertifyContent,
    ComposeContent,
    EnrolContent,
    RenewContent,
    Request,
    RevokeTokenContent,
    SettleContent,
)
from libs.wire.sign import BadSignatureError, Prefix, Signed, verify
from services.bundler.errors import Code, DeclinedError

C = TypeVar("C", EnrolContent, ComposeContent, CertifyContent, SettleContent, RevokeTokenContent, RenewContent)


def admit(signed: Signed, gateway: Ed25519PublicKey, kind: type[C], *, now: int) -> tuple[Request, C]:
    """The request in `signed`, and its content.

    Args:
        signed: As the message brought it.
        gateway: The gateway's request key, from its file.
        kind: The content that the message's type promises.
        now: Unix milliseconds.

    Raises:
        DeclinedError: `request_not_trusted` or `request_too_late`.
    """
    try:
        request = Request.model_validate_json(verify(signed, Prefix.REQUEST, gateway))
    except BadSignatureError as error:
        raise DeclinedError(
            Code.REQUEST_NOT_TRUSTED, "The request was not signed by the gateway's request key."
        ) from error
    except ValidationError as error:
        raise DeclinedError(Code.REQUEST_NOT_TRUSTED, "The signed request is of a shape that is not known.") from error
    content = request.content
    if not isinstance(content, kind):
        raise DeclinedError(Code.REQUEST_NOT_TRUSTED, f"A {content.kind} request was sent as another kind.")
    if now > request.deadline:
        raise DeclinedError(Code.REQUEST_TOO_LATE, "The request was picked up only after its deadline. Ask again.")
    return request, content
