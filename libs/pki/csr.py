"""Certificate requests: each must be signed by the key that it asks a certificate for."""

import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from libs.pki.errors import CsrInvalidError
from libs.wire.identity import UnreadableIdentityError, read_identity


@dataclass(frozen=True)
class AgentCsr:
    """What an agent asks for: a certificate over its two keys."""

    public_key: EllipticCurvePublicKey
    sealing_key: X25519PublicKey

    @property
    def key_hash(self) -> str:
        """SHA-256 over the DER SubjectPublicKeyInfo of the signing key, hexadecimal."""
        return key_hash(self.public_key)


def key_hash(public: EllipticCurvePublicKey) -> str:
    """SHA-256 over the key's DER SubjectPublicKeyInfo, hexadecimal."""
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def read_server_csr(der: bytes) -> EllipticCurvePublicKey:
    """The P-256 key of a server's request. Whatever else the request says is left aside.

    Raises:
        CsrInvalidError: unreadable, not signed by its own key, or another kind of key.
    """
    return _read(der)[1]


def read_agent_csr(der: bytes) -> AgentCsr:
    """The two keys of an agent's request.

    Raises:
        CsrInvalidError: unreadable, not signed by its own key, another kind of key, or no sealing key in it.
    """
    csr, public = _read(der)
    try:
        return AgentCsr(public, read_identity(csr.extensions).sealing_key)
    except (UnreadableIdentityError, ValueError, x509.DuplicateExtension) as error:
        raise CsrInvalidError("the request does not carry a sealing key") from error


def _read(der: bytes) -> tuple[x509.CertificateSigningRequest, EllipticCurvePublicKey]:
    try:
        csr = x509.load_der_x509_csr(der)
        signed, public = csr.is_signature_valid, csr.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise CsrInvalidError("no certificate request in DER") from error
    if not signed:
        raise CsrInvalidError("the request is not signed by its own key")
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256R1):
        raise CsrInvalidError("the request's key is not P-256")
    return csr, public
