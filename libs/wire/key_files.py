"""Keys in files: PEM, one after another. The first public key of a file is in use; the others are trusted beside it.

A roll-over is two keys in one file, so a change of the public file alone decides which of them is used, at once and
whole. A private file holds the halves of all that may still be needed, in any order.
"""

import re
from collections.abc import Iterable
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from libs.wire.seal import key_id

T = TypeVar("T")

MAX_KEYS = 8

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n.*?-----END \1-----[ \t]*\r?\n?", re.DOTALL)


def blocks(raw: bytes) -> tuple[bytes, ...]:
    """The PEM blocks in these bytes, in their order, each with its line's end."""
    return tuple(each.group().rstrip() + b"\n" for each in _BLOCK.finditer(raw))


def signing_publics(raw: bytes) -> tuple[Ed25519PublicKey, ...]:
    """The public keys of a file, the one in use first.

    Raises:
        ValueError: there is none, or one of another kind.
    """
    found = _publics(raw)
    keys = tuple(each for each in found if isinstance(each, Ed25519PublicKey))
    return _whole(keys, found, "an Ed25519 public key")


def sealing_publics(raw: bytes) -> tuple[X25519PublicKey, ...]:
    """The public keys of a file, the one in use first.

    Raises:
        ValueError: there is none, or one of another kind.
    """
    found = _publics(raw)
    keys = tuple(each for each in found if isinstance(each, X25519PublicKey))
    return _whole(keys, found, "an X25519 public key")


def signing_privates(raw: bytes) -> tuple[Ed25519PrivateKey, ...]:
    """The private keys of a file.

    Raises:
        ValueError: there is none, or one of another kind.
    """
    found = _privates(raw)
    keys = tuple(each for each in found if isinstance(each, Ed25519PrivateKey))
    return _whole(keys, found, "an Ed25519 private key")


def sealing_privates(raw: bytes) -> tuple[X25519PrivateKey, ...]:
    """The private keys of a file.

    Raises:
        ValueError: there is none, or one of another kind.
    """
    found = _privates(raw)
    keys = tuple(each for each in found if isinstance(each, X25519PrivateKey))
    return _whole(keys, found, "an X25519 private key")


def signing_in_use(private: bytes, public: bytes) -> Ed25519PrivateKey:
    """The private half of the key that is in use, which the public file says.

    Raises:
        ValueError: it is not among the private keys, or a file holds something else.
    """
    first, privates = key_id(signing_publics(public)[0]), signing_privates(private)
    found = next((each for each in privates if key_id(each.public_key()) == first), None)
    if found is None:
        raise ValueError("the public key in use has no private half here")
    return found


def _publics(raw: bytes) -> list[PublicKeyTypes]:
    return [load_pem_public_key(each) for each in blocks(raw)]


def _privates(raw: bytes) -> list[PrivateKeyTypes]:
    try:
        return [load_pem_private_key(each, password=None) for each in blocks(raw)]
    except TypeError as error:
        raise ValueError("a private key without a pass phrase is required") from error


def _whole(keys: tuple[T, ...], found: Iterable[object], what: str) -> tuple[T, ...]:
    if len(keys) != len(list(found)) or not 1 <= len(keys) <= MAX_KEYS:
        raise ValueError(f"{what} in PEM is required")
    return keys
