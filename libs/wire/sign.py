"""Signing: exact bytes behind a prefix that names what they are, so that no signature serves for another kind of thing.

Services sign with Ed25519, an agent with the P-256 key of its certificate. What is signed travels as the exact bytes
that were signed; a reader checks them first and parses them after.
"""

from collections.abc import Iterable
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import Field

from libs.wire.model import Base64, Wire
from libs.wire.seal import KeyId, key_id

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey
PublicKey = Ed25519PublicKey | EllipticCurvePublicKey


class Prefix(StrEnum):
    """What a signature is for. A prefix is never used for another kind of bytes."""

    JOB = "keyturn/job/1"  # scheduler to agent
    RESULT = "keyturn/result/1"  # agent to scheduler
    OBSERVATION = "keyturn/observation/1"  # agent to scheduler
    REQUEST = "keyturn/request/1"  # gateway to scheduler or bundler
    REVOKED = "keyturn/revoked/1"  # scheduler to agent: an identity is over
    LEAVING = "keyturn/leaving/1"  # agent to scheduler: it goes for good
    RENEWAL = "keyturn/renewal/1"  # an agent's present key, of its next keys
    RELEASE = "keyturn/release/1"  # a release's manifest
    PACKAGE = "keyturn/package/1"  # a package's manifest, by the bundler
    STATEMENT = "keyturn/release-statement/1"  # what a release says of its zip, for installed agents
    NOTICE = "keyturn/notice/1"  # what agents trust from now on, by the operator with scheduler's and bundler's keys


class Signed(Wire):
    """Bytes with their signature and the name of the key."""

    payload: Base64 = Field(max_length=1_048_576)
    key: KeyId
    signature: Base64 = Field(max_length=128)


class BadSignatureError(ValueError):
    """Signed by another key, for another purpose, or altered. Permanent."""


def sign(payload: bytes, prefix: Prefix, private: PrivateKey) -> Signed:
    """`payload` with a signature over the prefix and these exact bytes."""
    message = _message(payload, prefix)
    if isinstance(private, Ed25519PrivateKey):
        signature = private.sign(message)
    else:
        signature = private.sign(message, ECDSA(SHA256()))
    return Signed(payload=payload, key=key_id(private.public_key()), signature=signature)


def verify(signed: Signed, prefix: Prefix, public: PublicKey) -> bytes:
    """The payload, once its signature by `public` was checked.

    Raises:
        BadSignatureError: another key, another purpose, or altered bytes.
    """
    if signed.key != key_id(public):
        raise BadSignatureError("signed by another key")
    message = _message(signed.payload, prefix)
    try:
        if isinstance(public, Ed25519PublicKey):
            public.verify(signed.signature, message)
        else:
            public.verify(signed.signature, message, ECDSA(SHA256()))
    except InvalidSignature as error:
        raise BadSignatureError("the signature does not fit these bytes") from error
    return signed.payload


def verify_any(signed: Signed, prefix: Prefix, publics: Iterable[PublicKey]) -> bytes:
    """The payload, once its signature by one of `publics` was checked.

    Raises:
        BadSignatureError: another key, another purpose, or altered bytes.
    """
    public = next((each for each in publics if key_id(each) == signed.key), None)
    if public is None:
        raise BadSignatureError("signed by another key")
    return verify(signed, prefix, public)


def _message(payload: bytes, prefix: Prefix) -> bytes:
    return prefix.value.encode() + b"\0" + payload
