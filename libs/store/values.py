"""What may lie in a document, so that every engine keeps the same values and gives them back alike."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from libs.store.errors import StoreRefusedError

_INT64 = 2**63
_AS_IT_IS = frozenset({type(None), bool, float, bytes})
_KINDS: tuple[type[Any], ...] = (str, int, bytes)


def plain(value: Any) -> Any:
    """A deep copy of `value` made of the plain types alone; an enumeration's member becomes its value.

    Raises:
        StoreRefusedError: a type, an integer, a date or a key that a document cannot hold.
    """
    kind = type(value)
    if kind in _AS_IT_IS or (kind is str and value.isascii()) or (kind is int and -_INT64 <= value < _INT64):
        return value  # most of what lies in documents: there is nothing to look for in it
    if kind is dict or isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _leaf(value.value if isinstance(value, Enum) else value)


def scalar(value: Any) -> Any:
    """A plain value that equality and ranges may compare: no list and no mapping, whose order stores compare too."""
    found = plain(value)
    if isinstance(found, list | dict):
        raise StoreRefusedError("only plain values are compared")
    return found


def _leaf(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, str) and not _encodable(value):
        raise StoreRefusedError("text with a lone surrogate")
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise StoreRefusedError("an integer of more than 64 bits")
    for kind in _KINDS:
        if isinstance(value, kind):
            return kind(value)
    raise StoreRefusedError(f"a document cannot hold a {type(value).__name__}")


def _encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise StoreRefusedError("a date without its zone")
    moment = value.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _key(key: Any) -> str:
    if type(key) is str and key.isidentifier():
        return key
    if not isinstance(key, str) or not key or key.startswith("$") or "." in key or "\0" in key:
        raise StoreRefusedError("a key is text without a dot, a NUL or a leading dollar")
    return str(key)
