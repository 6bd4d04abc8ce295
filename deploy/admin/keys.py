"""Keys as PEM: private ones as PKCS 8, public ones as SubjectPublicKeyInfo."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_certificate

from deploy.admin.errors import AdminError
from deploy.admin.layout import Kind
from libs.pki.issue import Authority, Use, make_authority
from libs.wire.key_files import signing_publics


def private_pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def make_pair(kind: Kind, public: str, *, now: int) -> tuple[bytes, bytes]:
    """A new private key and its public half, or an authority's certificate; `now` in Unix milliseconds."""
    if kind is Kind.SEALING:
        sealing = X25519PrivateKey.generate()
        return private_pem(sealing), public_pem(sealing.public_key())
    if kind is Kind.SIGNING:
        signing = Ed25519PrivateKey.generate()
        return private_pem(signing), public_pem(signing.public_key())
    authority: Authority = make_authority(Use.SERVERS if public == "server-ca.pem" else Use.AGENTS, now=now)
    return private_pem(authority.private), authority.certificate.public_bytes(Encoding.PEM)


def public_half(private: bytes) -> bytes:
    """The public half of a private key in PEM.

    Raises:
        AdminError: it is no private key.
    """
    try:
        return public_pem(load_pem_private_key(private, password=None).public_key())
    except (ValueError, TypeError) as error:
        raise AdminError("no private key in PEM") from error


def public_of(public: bytes) -> bytes:
    """The public key in a PEM file of `public/`, taken out of its certificate where it is one.

    Raises:
        AdminError: it is neither.
    """
    try:
        if b"BEGIN CERTIFICATE" in public:
            return public_pem(load_pem_x509_certificate(public).public_key())
        return public_pem(load_pem_public_key(public))
    except ValueError as error:
        raise AdminError("neither a public key nor a certificate in PEM") from error


def load_releases(path: Path) -> tuple[Ed25519PublicKey, ...]:
    """The releases' public keys, the one in use first.

    Raises:
        AdminError: the file is not there, or holds another kind of key.
    """
    try:
        return signing_publics(path.read_bytes())
    except OSError as error:
        raise AdminError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise AdminError(f"{path} holds no public key of a release, which signs with Ed25519: {error}") from error


def load_release(path: Path) -> Ed25519PublicKey:
    """The release's public key, or the one in use.

    Raises:
        AdminError: as `load_releases`.
    """
    return load_releases(path)[0]
