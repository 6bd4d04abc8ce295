"""Bytes and text: strict base64, and the canonical bytes of plain data."""

import base64
import binascii
import json
from typing import Any


def to_base64(raw: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(raw).decode()


def from_base64(text: str) -> bytes:
    """The bytes of standard base64.

    Raises:
        ValueError: the text has a character outside the alphabet or wrong padding.
    """
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("base64 text expected") from error


def canonical(data: Any) -> bytes:
    """JSON with sorted keys and no blanks, UTF-8: the same data always gives the same bytes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
