"""An agent's certificate binds its two keys to its names, and nothing else passes for one."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_csr
from hypothesis import example, given
from hypothesis import strategies as st

from libs.pki.check import Authorities, check_agent_certificate
from libs.pki.csr import key_hash, read_agent_csr
from libs.pki.errors import CsrInvalidError, NotTrustedError
from libs.pki.issue import Use, issue_agent, issue_server, make_authority
from libs.pki.times import DAY_MS
from libs.wire.identity import agent_csr
from libs.wire.ids import Noun, new_id

NOW = 1_800_000_000_000
AGENT, RESOURCE = new_id(Noun.AGENT), new_id(Noun.RESOURCE)
AGENTS = make_authority(Use.AGENTS, now=NOW)
SERVERS = make_authority(Use.SERVERS, now=NOW)
PRIVATE = generate(SECP256R1())
SEALING = X25519PrivateKey.generate().public_key()
CSR = agent_csr(PRIVATE, SEALING)


def certificate(days: int = 14) -> bytes:
    return issue_agent(CSR, AGENT, RESOURCE, AGENTS, now=NOW, days=days)


def test_names_both_keys_agent_and_resource() -> None:
    found = check_agent_certificate(certificate(), AGENTS.certificate, now=NOW)
    assert (found.agent, found.resource) == (AGENT, RESOURCE)
    assert found.public_key == PRIVATE.public_key()
    assert found.sealing_key == SEALING
    assert (found.not_before, found.not_after) == (NOW - DAY_MS, NOW + 14 * DAY_MS)


def test_serials_differ() -> None:
    one, other = (check_agent_certificate(certificate(), AGENTS.certificate) for _ in range(2))
    assert one.serial != other.serial


def test_dates_count_only_when_asked() -> None:
    pem = certificate(days=1)
    for outside in (NOW - 2 * DAY_MS, NOW + 2 * DAY_MS):
        with pytest.raises(NotTrustedError, match="expired"):
            check_agent_certificate(pem, AGENTS.certificate, now=outside)
    assert check_agent_certificate(pem, AGENTS.certificate).agent == AGENT


def test_of_another_authority() -> None:
    for other in (make_authority(Use.AGENTS, now=NOW), SERVERS):
        with pytest.raises(NotTrustedError, match="not issued"):
            check_agent_certificate(certificate(), other.certificate)


def test_a_servers_certificate_is_no_agents_even_from_the_agents_authority() -> None:
    pem = issue_server(CSR, ["keyturn"], AGENTS, now=NOW, days=1)
    with pytest.raises(NotTrustedError, match="not an agent's"):
        check_agent_certificate(pem, AGENTS.certificate)


def test_an_authority_is_no_agent() -> None:
    with pytest.raises(NotTrustedError):
        check_agent_certificate(AGENTS.certificate.public_bytes(Encoding.PEM), AGENTS.certificate)


@pytest.mark.parametrize(
    ("agent", "resource"),
    [("", RESOURCE), (AGENT, ""), (RESOURCE, AGENT), (AGENT, "res_x")],
    ids=["no agent", "no resource", "exchanged", "too short"],
)
def test_names_of_another_shape(agent: str, resource: str) -> None:
    pem = issue_agent(CSR, agent or " ", resource or " ", AGENTS, now=NOW, days=1)
    with pytest.raises(NotTrustedError, match="does not name"):
        check_agent_certificate(pem, AGENTS.certificate)


def test_an_altered_certificate() -> None:
    loaded = x509.load_pem_x509_certificate(certificate())
    der = bytearray(loaded.public_bytes(Encoding.DER))
    place = der.index(AGENT.encode())
    der[place + 5] ^= 1
    pem = x509.load_der_x509_certificate(bytes(der)).public_bytes(Encoding.PEM)
    with pytest.raises(NotTrustedError, match="not issued"):
        check_agent_certificate(pem, AGENTS.certificate)


@given(st.binary(max_size=300))
def test_garbage_is_no_request(raw: bytes) -> None:
    with pytest.raises(CsrInvalidError):
        read_agent_csr(raw)


@given(st.integers(0, len(CSR) - 1), st.integers(1, 255))
@example(9, 1)  # its version, which the library refuses in a way of its own
def test_one_altered_byte_spoils_a_request_or_changes_nothing_of_it(place: int, flip: int) -> None:
    """One encoding of the same signature passes: the count of unused bits, where the last bit is 0 anyhow."""
    raw = bytearray(CSR)
    raw[place] ^= flip
    try:
        altered = read_agent_csr(bytes(raw))
    except CsrInvalidError:
        return
    whole = load_der_x509_csr(CSR)
    same = load_der_x509_csr(bytes(raw))
    assert (same.signature, same.tbs_certrequest_bytes) == (whole.signature, whole.tbs_certrequest_bytes)
    assert altered.key_hash == read_agent_csr(CSR).key_hash


def test_a_request_tells_its_keys() -> None:
    asked = read_agent_csr(CSR)
    assert asked.sealing_key == SEALING
    assert asked.key_hash == key_hash(PRIVATE.public_key())
    assert read_agent_csr(agent_csr(PRIVATE, SEALING)).key_hash == asked.key_hash


def test_another_curve_is_refused() -> None:
    with pytest.raises(CsrInvalidError, match="P-256"):
        read_agent_csr(agent_csr(generate(SECP384R1()), SEALING))


def test_a_request_without_a_sealing_key_is_refused() -> None:
    plain = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(PRIVATE, SHA256())
    with pytest.raises(CsrInvalidError, match="sealing key"):
        read_agent_csr(plain.public_bytes(Encoding.DER))


def test_authorities_come_from_files(tmp_path: Path) -> None:
    for name, authority in (("server", SERVERS), ("agent", AGENTS)):
        (tmp_path / f"{name}-ca.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    assert Authorities.load(tmp_path) == Authorities(SERVERS.certificate, AGENTS.certificate)
    (tmp_path / "agent-ca.pem").write_bytes(certificate())
    with pytest.raises(NotTrustedError, match="authority"):
        Authorities.load(tmp_path)
    (tmp_path / "agent-ca.pem").write_bytes(b"\xff")
    with pytest.raises(NotTrustedError, match="PEM"):
        Authorities.load(tmp_path)


def test_openssl_agrees(tmp_path: Path) -> None:
    """An independent reader accepts the chain for any use, and refuses the leaf as a TLS client or server."""
    ca, leaf = tmp_path / "ca.pem", tmp_path / "leaf.pem"
    ca.write_bytes(AGENTS.certificate.public_bytes(Encoding.PEM))
    leaf.write_bytes(certificate())
    base = ["openssl", "verify", "-attime", str(NOW // 1000), "-x509_strict", "-CAfile", str(ca)]
    assert subprocess.run([*base, str(leaf)], check=True, capture_output=True).stdout.endswith(b": OK\n")
    for purpose in ("sslserver", "sslclient"):
        refused = subprocess.run([*base, "-purpose", purpose, str(leaf)], check=False, capture_output=True)
        assert refused.returncode != 0, purpose
