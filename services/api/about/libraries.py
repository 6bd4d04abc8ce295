"""What the gateway is made of: each library with its version and licence, as its own package tells."""

from functools import cache
from importlib.metadata import metadata
from typing import NamedTuple

NAMES = (
    *("aio-pika", "argon2-cffi", "cryptography", "fastapi", "http-message-signatures", "httptools", "jinja2", "motor"),
    *("prometheus-client", "pydantic", "pydantic-settings", "segno", "structlog", "uvicorn", "uvloop", "zxcvbn"),
)
"""What `pyproject.toml` names for the gateway; a test holds the two together."""

_MAX_LICENCE = 60


class Library(NamedTuple):
    name: str
    version: str
    licence: str


@cache
def libraries() -> tuple[Library, ...]:
    """Each library, by name."""
    return tuple(_library(name) for name in NAMES)


def _library(name: str) -> Library:
    told = metadata(name)
    classes = [each.split(" :: ")[-1] for each in told.get_all("Classifier", []) if each.startswith("License ::")]
    stated = next(iter((*told.get_all("License-Expression", []), *told.get_all("License", []))), "").strip()
    licence = stated if stated and len(stated) <= _MAX_LICENCE else " or ".join(classes)
    return Library(name, told["Version"], licence or "see its package")
