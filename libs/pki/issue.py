"""Issuing: the two authorities' private keys at work. Only the bundler imports it, and the operator's `keyturn-server`.

Each authority is a P-256 key whose certificate allows leaves of one use and no authority below it: servers
(serverAuth), or agents (a usage of our own, which nothing else accepts). Leaves are back-dated by a day, because the
clocks of hosts that nobody can reach run as they like.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from re import compile as pattern
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from libs.pki.check import load_authority
from libs.pki.csr import read_agent_csr, read_server_csr
from libs.pki.errors import NameInvalidError, NotTrustedError
from libs.pki.times import DAY_MS, moment
from libs.wire.identity import AGENT_USAGE, Identity
from libs.wire.key_files import blocks

BACK_DATED_MS = DAY_MS
AUTHORITY_DAYS = 7_300

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS_NAME = pattern(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\Z")
_MAX_COMMON_NAME = 64


class Use(Enum):
    """What an authority vouches for: its name, and the extended key usage of its leaves."""

    SERVERS = ("Keyturn servers", ExtendedKeyUsageOID.SERVER_AUTH)
    AGENTS = ("Keyturn agents", AGENT_USAGE)


@dataclass(frozen=True)
class Authority:
    """A certificate and its private key."""

    certificate: x509.Certificate
    private: EllipticCurvePrivateKey

    @classmethod
    def load(cls, key: Path, certificate: Path) -> Self:
        """The authority in use, which the file of certificates names first; its key is among those of the other file.

        Raises:
            NotTrustedError: they are no authority's, or do not fit each other.
            OSError: a file cannot be read.
        """
        public = load_authority(certificate)
        try:
            found = [load_pem_private_key(each, password=None) for each in blocks(key.read_bytes())]
        except (ValueError, TypeError) as error:
            raise NotTrustedError(f"{key}: no private key in PEM") from error
        for private in found:
            if isinstance(private, EllipticCurvePrivateKey) and private.public_key() == public.public_key():
                return cls(public, private)
        raise NotTrustedError(f"{key} is not the key of {certificate}" if found else f"{key}: no private key in PEM")


def make_authority(use: Use, *, now: int) -> Authority:
    """A new authority, good for twenty years; `now` in Unix milliseconds."""
    private = generate(SECP256R1())
    label, extended = use.value
    serial = x509.random_serial_number()
    # The serial in the name keeps apart the authorities of two systems that one host trusts.
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, label),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{serial:x}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(serial)
        .not_valid_before(moment(now - BACK_DATED_MS))
        .not_valid_after(moment(now + AUTHORITY_DAYS * DAY_MS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([extended]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, SHA256())
    )
    return Authority(certificate, private)


def issue_server(csr: bytes, names: Sequence[str], authority: Authority, *, now: int, days: int) -> bytes:
    """A server's certificate, PEM.

    Args:
        csr: DER; it gives the key and nothing else.
        names: DNS names and IP addresses that the certificate is good for, at least one.
        authority: The server authority.
        now: Unix milliseconds.
        days: How long it is good.

    Raises:
        CsrInvalidError: see `libs.pki.csr.read_server_csr`.
        NameInvalidError: a name is neither a DNS name nor an IP address, or there is none.
    """
    alternatives = [_alternative(name) for name in dict.fromkeys(names)]
    if not alternatives:
        raise NameInvalidError("a server's certificate needs at least one name")
    builder = _leaf(read_server_csr(csr), names[0], authority, Use.SERVERS, now=now, life=days * DAY_MS)
    return _signed(builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False), authority)


def issue_agent(
    csr: bytes,
    agent: str,
    resource: str,
    authority: Authority,
    *,
    now: int,
    days: int = 0,
    seconds: int = 0,
    serial: int | None = None,
) -> bytes:
    """An agent's certificate, PEM.

    Args:
        csr: DER; it gives the two keys and nothing else.
        agent: The agent's identifier.
        resource: The identifier of its resource.
        authority: The agent authority.
        now: Unix milliseconds.
        days: How long it is good, together with `seconds`.
        seconds: See `days`.
        serial: 1 to 2**159 - 1, random unless given: an enrolment that is repeated must meet its own certificate.

    Raises:
        CsrInvalidError: see `libs.pki.csr.read_agent_csr`.
    """
    asked = read_agent_csr(csr)
    life = days * DAY_MS + seconds * 1000
    builder = _leaf(asked.public_key, agent, authority, Use.AGENTS, now=now, life=life, serial=serial)
    identity = Identity(asked.sealing_key, agent, resource)
    return _signed(builder.add_extension(identity.extension(), critical=False), authority)


def _leaf(
    public: EllipticCurvePublicKey,
    name: str,
    authority: Authority,
    use: Use,
    *,
    now: int,
    life: int,
    serial: int | None = None,
) -> x509.CertificateBuilder:
    issuer = authority.certificate
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_MAX_COMMON_NAME])]))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number() if serial is None else serial)
        .not_valid_before(moment(now - BACK_DATED_MS))
        .not_valid_after(moment(now + life))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use.value[1]]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.private.public_key()), critical=False
        )
    )


def _signed(builder: x509.CertificateBuilder, authority: Authority) -> bytes:
    return builder.sign(authority.private, SHA256()).public_bytes(Encoding.PEM)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        if not _DNS_NAME.match(name) or name.replace(".", "").isdigit():
            raise NameInvalidError(f"{name!r} is neither a DNS name nor an IP address") from None
        return x509.DNSName(name)
