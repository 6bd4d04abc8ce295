"""What a broker message is: a typed, versioned envelope around identifiers.

The broker carries identifiers and wake-ups, never a secret and never the truth: whoever receives an envelope reads
the document it names. So a message may be lost, doubled or reordered, and a sweeper may write it again from the
documents.
"""

from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from libs.wire.ids import EventId
from libs.wire.model import Millis, Wire

MAX_BYTES = 262_144
"""No envelope is larger: its body is identifiers, public keys and signatures, or a package's sealed tail."""

Type = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z_]+)+$", max_length=64)]


class UnreadableError(ValueError):
    """The bytes are no envelope, or of a type or version that this reader does not know: aside at the first try."""


class Envelope(Wire):
    """One message."""

    type: Type
    version: int = Field(ge=1, le=1_000)
    id: EventId
    at: Millis
    body: dict[str, Any] = Field(default_factory=dict)


def parse(raw: bytes) -> Envelope:
    """The envelope in `raw`.

    Raises:
        UnreadableError: `raw` is too large, no JSON, or not of this shape.
    """
    if len(raw) > MAX_BYTES:
        raise UnreadableError(f"a message of {len(raw)} bytes; {MAX_BYTES} are allowed")
    try:
        return Envelope.model_validate_json(raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise UnreadableError(f"no envelope: {where or 'the whole'}") from error
