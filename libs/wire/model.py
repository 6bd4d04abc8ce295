"""The base of everything that travels: frozen, validated, and blind to fields that a newer sender appended.

Each message has an integer version that is never used twice for another meaning; fields are only ever appended, each
with a default. What is signed is signed over exact bytes, so a field that this reader does not know is still covered.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from libs.wire.encoding import canonical, from_base64, to_base64

Millis = Annotated[int, Field(ge=0, lt=2**53)]
"""A moment, in Unix milliseconds."""


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return from_base64(value)
    raise ValueError("base64 text expected")


Base64 = Annotated[
    bytes,
    PlainValidator(_bytes),
    PlainSerializer(to_base64, return_type=str),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
"""Bytes that travel as standard base64 text."""


class Wire(BaseModel):
    """A message or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64")

    def to_bytes(self) -> bytes:
        """The canonical bytes: JSON with sorted keys and no blanks, UTF-8."""
        return canonical(self.model_dump(mode="json"))
