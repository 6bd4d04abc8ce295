"""The gateway's certificate: what TLS clients accept it for, and what nobody can have put into it."""

import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from libs.pki.errors import CsrInvalidError, NameInvalidError, NotTrustedError
from libs.pki.issue import Authority, Use, issue_server, make_authority

NOW = 1_795_000_000_000
SERVERS = make_authority(Use.SERVERS, now=NOW)
PRIVATE = generate(SECP256R1())


def csr(private: EllipticCurvePrivateKey = PRIVATE, name: str = "asked.example") -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    asked = x509.SubjectAlternativeName([x509.DNSName(name)])
    return builder.add_extension(asked, critical=False).sign(private, SHA256()).public_bytes(Encoding.DER)


def pem(private: EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def handshake(folder: Path, leaf: bytes, name: str, authority: Authority = SERVERS) -> None:
    """A TLS handshake in memory, checked by the standard library's rules for `name`; dates left aside."""
    (folder / "leaf.pem").write_bytes(leaf)
    (folder / "leaf.key").write_bytes(pem(PRIVATE))
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(folder / "leaf.pem", folder / "leaf.key")
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.load_verify_locations(cadata=authority.certificate.public_bytes(Encoding.PEM).decode())
    client_context.verify_flags |= ssl.VerifyFlags(0x200000) | ssl.VERIFY_X509_STRICT  # no check of dates
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(back, there, server_hostname=name)
    server = server_context.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


def test_tls_accepts_its_names_and_no_other(tmp_path: Path) -> None:
    leaf = issue_server(csr(), ["gw.example.net", "127.0.0.1", "::1", "GW2"], SERVERS, now=NOW, days=90)
    for name in ("gw.example.net", "127.0.0.1", "::1", "gw2"):
        handshake(tmp_path, leaf, name)
    for name in ("asked.example", "example.net", "127.0.0.2"):
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(tmp_path, leaf, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, leaf, "gw2", make_authority(Use.SERVERS, now=NOW))


def test_tls_refuses_a_leaf_of_the_agents_authority(tmp_path: Path) -> None:
    agents = make_authority(Use.AGENTS, now=NOW)
    leaf = issue_server(csr(), ["gw"], agents, now=NOW, days=1)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path, leaf, "gw", agents)


def test_addresses_are_addresses() -> None:
    leaf = x509.load_pem_x509_certificate(issue_server(csr(), ["10.1.2.3", "gw"], SERVERS, now=NOW, days=1))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("10.1.2.3")]
    assert names.get_values_for_type(x509.DNSName) == ["gw"]


@pytest.mark.parametrize("name", ["", "-gw", "gw-", "a..b", "10.1.2", "gw.", "*.example", "a" * 64, "gw\n", "b\u00fc"])
def test_names_that_no_certificate_carries(name: str) -> None:
    with pytest.raises(NameInvalidError):
        issue_server(csr(), ["gw", name], SERVERS, now=NOW, days=1)


def test_at_least_one_name() -> None:
    with pytest.raises(NameInvalidError):
        issue_server(csr(), [], SERVERS, now=NOW, days=1)


def test_a_request_signed_by_another_key() -> None:
    raw = bytearray(csr())
    raw[-1] ^= 1
    with pytest.raises(CsrInvalidError):
        issue_server(bytes(raw), ["gw"], SERVERS, now=NOW, days=1)


def test_a_key_and_a_certificate_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(SERVERS.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "ca.key").write_bytes(pem(SERVERS.private))
    loaded = Authority.load(tmp_path / "ca.key", tmp_path / "ca.pem")
    assert loaded.certificate == SERVERS.certificate
    (tmp_path / "ca.key").write_bytes(pem(PRIVATE))
    with pytest.raises(NotTrustedError, match="not the key"):
        Authority.load(tmp_path / "ca.key", tmp_path / "ca.pem")
