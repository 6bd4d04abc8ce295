"""Sealing: one primitive for every password, at rest, in flight and at reveal.

HPKE in base mode (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM) to a *list* of recipients; who can read is who holds one
of the private keys. The context (account, generation, purpose) is HPKE's `info`, so a box that is moved to another
account, generation or purpose does not open. HPKE does not authenticate its sender: what an agent acts on is signed
besides (`libs.wire.sign`).

The plain text is padded to a multiple of 128 bytes (ISO/IEC 7816-4), because a box would tell the password's length.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import Field, StringConstraints

from libs.wire.encoding import canonical
from libs.wire.model import Base64, Wire
from libs.wire.secret import Secret

SUITE = "hpke-x25519-sha256-aes256gcm/1"
"""The identifier of this suite and of its padding; stored beside each box, never used for another."""

MAX_RECIPIENTS = 8
_BLOCK = 128
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

KeyId = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""A public key's name: SHA-256 over its DER SubjectPublicKeyInfo."""


class Purpose(StrEnum):
    """What a box is for; part of what it is bound to."""

    REQUEST = "request"  # typed by a person, on its way to the scheduler; its generation is the task's identifier
    REST = "rest"  # escrowed in the vault
    JOB = "job"  # on its way to the agent
    REVEAL = "reveal"  # on its way to the person who asked
    PACKAGE = "package"  # an enrolment token on its way to the gateway that streams it once


class Context(NamedTuple):
    """What a box is bound to."""

    account: str
    generation: str
    purpose: Purpose

    def to_info(self) -> bytes:
        return canonical(["keyturn/seal/1", self.account, self.generation, self.purpose.value])


class Box(Wire):
    """One recipient's copy: HPKE's encapsulated key followed by the ciphertext."""

    recipient: KeyId
    box: Base64


class Sealed(Wire):
    """A secret that each of its recipients can open."""

    suite: Annotated[str, StringConstraints(max_length=64)]
    boxes: tuple[Box, ...] = Field(min_length=1, max_length=MAX_RECIPIENTS)


class CannotOpenError(ValueError):
    """The box is not for this key, not for this context, of another suite, or damaged. Permanent."""


def key_id(public: PublicKeyTypes) -> str:
    """The name of a public key of any kind."""
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(der).hexdigest()


def _pad(plain: bytes) -> bytes:
    padded = plain + b"\x80"
    return padded + b"\0" * (-len(padded) % _BLOCK)


def _unpad(padded: bytes) -> bytes:
    plain, mark, zeros = padded.rpartition(b"\x80")
    if not mark or zeros.strip(b"\0"):
        raise CannotOpenError("the padding is damaged")
    return plain


def seal(secret: Secret, context: Context, recipients: Sequence[X25519PublicKey]) -> Sealed:
    """`secret` for each of 1 to 8 recipients, bound to `context`."""
    padded, info = _pad(secret.reveal()), context.to_info()
    return Sealed(
        suite=SUITE,
        boxes=tuple(Box(recipient=key_id(key), box=_SUITE.encrypt(padded, key, info)) for key in recipients),
    )


def open_sealed(sealed: Sealed, context: Context, private: X25519PrivateKey) -> Secret:
    """The secret, by the copy that is sealed to this key.

    Raises:
        CannotOpenError: no copy is for this key, or it was sealed for another context.
    """
    if sealed.suite != SUITE:
        raise CannotOpenError(f"sealed with the suite {sealed.suite!r}; this version opens {SUITE!r}")
    name = key_id(private.public_key())
    box = next((each.box for each in sealed.boxes if each.recipient == name), None)
    if box is None:
        raise CannotOpenError("no copy is sealed to this key")
    try:
        return Secret(_unpad(_SUITE.decrypt(box, private, context.to_info())))
    except (InvalidTag, ValueError) as error:
        raise CannotOpenError("sealed for another account, generation or purpose, or damaged") from error
