"""Patterns of a topic exchange: words between dots, `*` for one word, `#` for any number of them."""


def matches(pattern: str, key: str) -> bool:
    """Whether a notice with this routing key reaches a queue bound with this pattern."""
    return _matches(pattern.split("."), key.split("."))


def _matches(pattern: list[str], key: list[str]) -> bool:
    if not pattern:
        return not key
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return any(_matches(rest, key[skipped:]) for skipped in range(len(key) + 1))
    return bool(key) and head in ("*", key[0]) and _matches(rest, key[1:])
