"""Dotted paths into plain documents, with MongoDB's rules for lists."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from libs.store.errors import StoreRefusedError
from libs.store.ports import Document


def reached(value: Any, path: str) -> list[Any]:
    """Every value that `path` leads to: through each element of a list, and a list itself beside its elements."""
    found: list[Any] = []
    for leaf in _leaves(value, path.split(".")):
        found.append(leaf)
        if isinstance(leaf, list):
            found.extend(leaf)
    return found


def _leaves(value: Any, parts: list[str]) -> Iterator[Any]:
    if not parts:
        yield value
        return
    head, rest = parts[0], parts[1:]
    if isinstance(value, dict):
        if head in value:
            yield from _leaves(value[head], rest)
    elif isinstance(value, list):
        if head.isdigit() and int(head) < len(value):
            yield from _leaves(value[int(head)], rest)
        for element in value:
            if isinstance(element, dict):
                yield from _leaves(element, parts)


def holds(document: Any, path: str, wanted: Any) -> bool:
    """Whether some value at `path` equals `wanted`; None is met by a missing field as well."""
    values = reached(document, path)
    return any(_same(value, wanted) for value in values) or (wanted is None and not values)


def within(document: Any, path: str, low: Any, high: Any) -> bool:
    """Whether some value at `path` is at least `low` and at most `high`, and of their type."""
    return any(
        _comparable(value, low) and _comparable(value, high) and low <= value <= high
        for value in reached(document, path)
    )


def rank(document: Any, path: str, *, highest: bool) -> tuple[int, Any]:
    """The key to order by: of several values the lowest, or the highest where the order is downwards."""
    keys = [place(value) for value in reached(document, path) if not isinstance(value, list | dict)] or [place(None)]
    return max(keys) if highest else min(keys)


def place(value: Any) -> tuple[int, Any]:
    """The place of a plain value among all: first by its type, then by itself."""
    if isinstance(value, str):
        return (2, value.encode())
    if value is None:
        return (0, 0)
    if isinstance(value, bool):
        return (4, value)
    if isinstance(value, int | float):
        return (1, value)
    return (5, value) if isinstance(value, datetime) else (3, value)


def edit(document: Document, path: str, act: Callable[[Any, Any], None], *, make: bool = True) -> None:
    """Walks to the container that holds the last part of `path` and calls `act(container, key)` there.

    Raises:
        StoreRefusedError: the path leads through a value that holds nothing.
    """
    *way, last = path.split(".")
    here: Any = document
    for part in way:
        key = _key(here, part, path)
        if isinstance(here, dict) and key not in here:
            if not make:
                return
            here[key] = {}
        here = here[key]
    act(here, _key(here, last, path))


def _key(container: Any, part: str, path: str) -> Any:
    if isinstance(container, dict):
        return part
    if isinstance(container, list) and part.isdigit() and int(part) < len(container):
        return int(part)
    raise StoreRefusedError(f"{path} leads through a value without fields")


def _same(value: Any, wanted: Any) -> bool:
    return (
        place(value)[0] == place(wanted)[0] and bool(value == wanted) if not isinstance(value, list | dict) else False
    )


def _comparable(value: Any, bound: Any) -> bool:
    return not isinstance(value, list | dict) and value is not None and place(value)[0] == place(bound)[0]
