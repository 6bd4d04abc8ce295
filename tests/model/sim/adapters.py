"""Validators that FastAPI builds for each application, built once a process.

To build an application anew for each life of a gateway costs a tenth of a second, nearly all of it for validators that
are the same each time. They keep nothing of what they read, so the lives share them; all else is built anew.
"""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import fastapi._compat.v2 as fields
from pydantic import TypeAdapter

_made: dict[tuple[str, str], TypeAdapter[Any]] = {}


def _adapter(kind: Any, *, config: Any = None) -> TypeAdapter[Any]:
    # Whole names stand in a type's representation, and addresses in that of a function.
    key = repr(kind), repr(config)
    if key not in _made:
        _made[key] = TypeAdapter(kind, config=config)
    return _made[key]


@contextlib.contextmanager
def shared() -> Iterator[None]:
    """For the time of a run."""
    with patch.object(fields, "TypeAdapter", _adapter):
        yield
