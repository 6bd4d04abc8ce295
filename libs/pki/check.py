"""Checking: what every service may do with the authorities' public certificates, which come from files alone.

An agent's certificate counts when the agent authority signed it, it serves for signing and nothing else, and its
extension names the agent, the resource and the sealing key. Its dates are a separate question, asked only when a moment
is given: a password's candidates are still sealed to, and an answer still read from, an agent that renews too late.
"""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Self, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import TypeAdapter, ValidationError

from libs.pki.errors import NotTrustedError
from libs.pki.times import millis
from libs.wire.identity import AGENT_USAGE, UnreadableIdentityError, read_identity
from libs.wire.ids import AgentId, ResourceId

T = TypeVar("T", bound=x509.ExtensionType)

_AGENT_ID: TypeAdapter[str] = TypeAdapter(AgentId)
_RESOURCE_ID: TypeAdapter[str] = TypeAdapter(ResourceId)


class Standing(StrEnum):
    """How an agent certificate's authority stands."""

    IN_USE = "in_use"
    BESIDE = "beside"  # trusted in a roll-over; its certificates are renewed at once
    RETIRED = "retired"  # its certificates are good for renewing, and for nothing else


@dataclass(frozen=True)
class AgentIdentity:
    """What a valid agent certificate says."""

    agent: str
    resource: str
    public_key: EllipticCurvePublicKey  # P-256, for signatures
    sealing_key: X25519PublicKey
    serial: str  # hexadecimal
    not_before: int  # Unix milliseconds
    not_after: int  # Unix milliseconds
    standing: Standing = Standing.IN_USE


@dataclass(frozen=True)
class AgentAuthorities:
    """Whose agent certificates count, and for what."""

    in_use: x509.Certificate
    beside: tuple[x509.Certificate, ...] = ()
    retired: tuple[x509.Certificate, ...] = ()

    @classmethod
    def load(cls, public: Path) -> Self:
        """`agent-ca.pem` and, where there is one, `agent-ca-retired.pem` of the folder of public keys.

        Raises:
            NotTrustedError: a file holds no certificate, or the certificate of no authority.
            OSError: a file cannot be read.
        """
        in_use, *beside = load_authorities(public / "agent-ca.pem")
        retired = public / "agent-ca-retired.pem"
        return cls(in_use, tuple(beside), load_authorities(retired) if retired.exists() else ())

    @property
    def era(self) -> str:
        """A name for what is trusted, another one after each step of a roll-over; empty before the first."""
        if not (self.beside or self.retired):
            return ""
        named = (",".join(each.fingerprint(SHA256()).hex() for each in some) for some in (self.beside, self.retired))
        text = " ".join((self.in_use.fingerprint(SHA256()).hex(), *named))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def check(self, pem: bytes, *, now: int | None = None) -> AgentIdentity:
        """Who an agent certificate is for, and how its authority stands; `now` as `check_agent_certificate` takes it.

        Raises:
            NotTrustedError: of another authority, for another use, altered, or outside its dates.
        """
        certificate = _load(pem, "the certificate")
        for standing, authorities in ((Standing.BESIDE, self.beside), (Standing.RETIRED, self.retired)):
            for each in authorities:
                if issued_by(certificate, each):
                    return replace(check_agent_certificate(pem, each, now=now), standing=standing)
        return check_agent_certificate(pem, self.in_use, now=now)


@dataclass(frozen=True)
class Authorities:
    """The public certificates of a system: the authorities in use, and what is trusted beside them in a roll-over."""

    server: x509.Certificate
    agent: x509.Certificate
    servers_beside: tuple[x509.Certificate, ...] = ()
    agents_beside: tuple[x509.Certificate, ...] = ()
    agents_retired: tuple[x509.Certificate, ...] = ()

    @property
    def agents(self) -> AgentAuthorities:
        """Whose agent certificates count."""
        return AgentAuthorities(self.agent, self.agents_beside, self.agents_retired)

    @classmethod
    def load(cls, public: Path) -> Self:
        """`server-ca.pem`, `agent-ca.pem` and `agent-ca-retired.pem` of the folder of public keys.

        Raises:
            NotTrustedError: a file holds no certificate, or the certificate of no authority.
            OSError: a file cannot be read.
        """
        server, *beside = load_authorities(public / "server-ca.pem")
        agents = AgentAuthorities.load(public)
        return cls(server, agents.in_use, tuple(beside), agents.beside, agents.retired)


def load_authority(path: Path) -> x509.Certificate:
    """The certificate of the authority in use, which is the first in a PEM file.

    Raises:
        NotTrustedError: it holds no certificate, or the certificate of no authority.
        OSError: it cannot be read.
    """
    return load_authorities(path)[0]


def load_authorities(path: Path) -> tuple[x509.Certificate, ...]:
    """The authorities' certificates in a PEM file, the one in use first.

    Raises:
        NotTrustedError: it holds no certificate, or the certificate of no authority.
        OSError: it cannot be read.
    """
    try:
        found = tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (ValueError, x509.InvalidVersion) as error:
        raise NotTrustedError(f"{path}: no certificate in PEM") from error
    for each in found:
        constraints = _extension(each, x509.BasicConstraints)
        if constraints is None or not constraints.ca or not isinstance(each.public_key(), EllipticCurvePublicKey):
            raise NotTrustedError(f"{path}: the certificate is not an authority's")
    return found


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether this authority signed the certificate. Its dates are not asked."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def check_agent_certificate(pem: bytes, authority: x509.Certificate, *, now: int | None = None) -> AgentIdentity:
    """Who an agent certificate is for.

    Args:
        pem: The certificate.
        authority: The agent authority's certificate, from its file.
        now: Unix milliseconds; its dates are checked only when this is given.

    Raises:
        NotTrustedError: of another authority, for another use, altered, or outside its dates.
    """
    certificate = _load(pem, "the certificate")
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, TypeError, ValueError) as error:
        raise NotTrustedError("the certificate was not issued by the agent authority") from error
    _check_use(certificate)
    public = certificate.public_key()
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256R1):
        raise NotTrustedError("the certificate's key is not P-256")
    identity = _identity(certificate, public)
    if now is not None and not identity.not_before <= now <= identity.not_after:
        raise NotTrustedError("the certificate has expired or is not valid yet")
    return identity


def _load(pem: bytes, name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except (ValueError, x509.InvalidVersion) as error:
        raise NotTrustedError(f"{name}: no certificate in PEM") from error


def _check_use(certificate: x509.Certificate) -> None:
    algorithm = certificate.signature_hash_algorithm
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    if not isinstance(algorithm, SHA256):
        raise NotTrustedError("the certificate is not signed with SHA-256")
    if constraints is None or constraints.ca:
        raise NotTrustedError("the certificate is an authority's, not an agent's")
    if usage is None or not usage.digital_signature or usage.key_cert_sign or usage.crl_sign:
        raise NotTrustedError("the certificate is not for signing")
    if extended is None or list(extended) != [AGENT_USAGE]:
        raise NotTrustedError("the certificate is not an agent's")


def _identity(certificate: x509.Certificate, public: EllipticCurvePublicKey) -> AgentIdentity:
    try:
        named = read_identity(certificate.extensions)
        agent, resource = _AGENT_ID.validate_python(named.agent), _RESOURCE_ID.validate_python(named.resource)
    except (UnreadableIdentityError, ValidationError) as error:
        raise NotTrustedError("the certificate does not name an agent, a resource and a sealing key") from error
    return AgentIdentity(
        agent=agent,
        resource=resource,
        public_key=public,
        sealing_key=named.sealing_key,
        serial=f"{certificate.serial_number:x}",
        not_before=millis(certificate.not_valid_before_utc),
        not_after=millis(certificate.not_valid_after_utc),
    )


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
