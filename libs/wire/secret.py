"""The type of every plain password inside a process: shows itself as `***`, gives its bytes to one explicit call only.

A password is bytes, because a host sets it byte for byte; text becomes UTF-8 without any normalising.
"""

import hmac
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Secret:
    """A plain password. Compared in constant time, never pickled, never shown."""

    __slots__ = ("_plain",)

    def __init__(self, plain: bytes | str) -> None:
        self._plain = plain.encode() if isinstance(plain, str) else bytes(plain)

    def reveal(self) -> bytes:
        """The plain bytes: the one way to them, so that a search for this name finds each use."""
        return self._plain

    def scrub(self, text: str) -> str:
        """`text` without this secret, for a tool's error message before it leaves the backend."""
        plain = self._plain.decode("utf-8", "replace")
        return text.replace(plain, "***") if plain else text

    def __len__(self) -> int:
        return len(self._plain)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._plain, other._plain)

    def __hash__(self) -> NoReturn:
        raise TypeError("a Secret is not hashable")

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Input from JSON text; output always `***`, so that dumping a model cannot leak it."""
        return core_schema.no_info_after_validator_function(
            lambda value: value if isinstance(value, Secret) else cls(value),
            core_schema.union_schema([core_schema.is_instance_schema(cls), core_schema.str_schema()]),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: "***"),
        )
