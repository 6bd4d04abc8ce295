"""What stands in an account's password field: a lock mark, a hash, both, or neither.

`!`, `!!`, `*` and `!*` all occur as marks: passwd and usermod write one or two exclamation marks before the hash they
keep, installers write `*` or `!` where there never was a password.
"""

import re
from dataclasses import dataclass
from typing import Final

_DES: Final = re.compile(rb"[./0-9A-Za-z]{13}")
_PREFIXES: Final = (
    b"$y$", b"$gy$", b"$7$", b"$2a$", b"$2b$", b"$2x$", b"$2y$",
    b"$6$", b"$5$", b"$sha1$", b"$md5", b"$3$", b"$1$", b"_",
)  # fmt: skip
_WEAK: Final = frozenset({b"des", b"_", b"$1$", b"$3$", b"$md5", b"$sha1$"})
_BCRYPT_BYTES: Final = 72
_DES_BYTES: Final = 8
_SEVEN_BITS: Final = 127


@dataclass(frozen=True, slots=True)
class PasswordField:
    """A field taken apart: what locks it, and the rest."""

    mark: bytes
    rest: bytes

    @property
    def never_had(self) -> bool:
        """A mark with no hash behind it: no password ever opened this account."""
        return bool(self.mark) and not is_hash(self.rest)

    @property
    def locked(self) -> bool:
        return bool(self.mark)

    @property
    def empty(self) -> bool:
        return not self.mark and not self.rest


def take_apart(field: bytes) -> PasswordField:
    """The field's lock mark and what stands behind it."""
    rest = field.lstrip(b"!*")
    return PasswordField(field[: len(field) - len(rest)], rest)


def is_hash(rest: bytes) -> bool:
    return prefix_of(rest) is not None or rest.startswith(b"$")


def prefix_of(rest: bytes) -> bytes | None:
    """The format of a hash: its prefix, `des` for the one that has none, None where it is no known format."""
    for prefix in _PREFIXES:
        if rest.startswith(prefix):
            return prefix
    return b"des" if _DES.fullmatch(rest) else None


def ignores_tail(rest: bytes, password: bytes) -> bool:
    """Whether other passwords open this hash too: bcrypt reads 72 bytes, DES eight, and of each only seven bits."""
    prefix = prefix_of(rest)
    if prefix == b"des":
        return len(password) >= _DES_BYTES or any(byte > _SEVEN_BITS for byte in password)
    return prefix is not None and prefix.startswith(b"$2") and len(password) >= _BCRYPT_BYTES


def is_weak(rest: bytes) -> bool:
    """Whether the format is one that no current system writes by itself."""
    return prefix_of(rest) in _WEAK
