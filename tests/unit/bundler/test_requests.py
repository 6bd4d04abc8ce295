"""The bundler does what the gateway signed, and nothing that anybody else sends."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from libs.store.schema import CollectionName
from libs.wire.envelope import UnreadableError
from libs.wire.events import ComposeAsked, EnrolAsked
from libs.wire.requests import Certified, CertifyContent
from libs.wire.sign import Prefix
from services.bundler.tokens import mint
from tests.unit.bundler.parts import SERVERS, START, Host, Parts

PRIVATE = generate(SECP256R1())
CSR = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(x509.Name([]))
    .sign(PRIVATE, SHA256())
    .public_bytes(Encoding.DER)
)


async def test_the_gateways_certificate() -> None:
    parts = Parts()
    answered = await parts.ask(CertifyContent(csr=CSR, names=("keyturn", "localhost", "127.0.0.1")), person=None)
    leaf = x509.load_pem_x509_certificate(Certified.model_validate(answered.answer).certificate)
    leaf.verify_directly_issued_by(SERVERS.certificate)
    assert leaf.public_key() == PRIVATE.public_key()
    (record,) = await parts.all_of(CollectionName.AUDIT_BUNDLER)
    assert (record["what"], record["at"]) == ("server.certify", START)


async def test_names_and_requests_that_are_none() -> None:
    parts = Parts()
    assert await parts.code(CertifyContent(csr=CSR, names=("a..b",))) == "name_invalid"
    assert await parts.code(CertifyContent(csr=b"\x30\x00", names=("gw",))) == "csr_invalid"
    assert await parts.all_of(CollectionName.AUDIT_BUNDLER) == []


async def test_another_signer_another_purpose_another_kind_or_too_late() -> None:
    parts = Parts()
    content = CertifyContent(csr=CSR, names=("gw",))
    assert await parts.code(content, signer=Ed25519PrivateKey.generate()) == "request_not_trusted"
    assert await parts.code(content, prefix=Prefix.JOB) == "request_not_trusted"
    assert await parts.code(content, kind=EnrolAsked) == "request_not_trusted"
    assert await parts.code(Host().content(mint()), kind=ComposeAsked) == "request_not_trusted"
    assert await parts.code(content, deadline=START - 1) == "request_too_late"
    refused = parts.registry.get_sample_value(
        "keyturn_bundler_requests_total", {"kind": "certify", "outcome": "request_not_trusted"}
    )
    assert refused == 2


async def test_a_package_is_made_for_a_person() -> None:
    parts = Parts()
    await parts.publish()
    assert await parts.code(parts.compose_content(), person=None) == "request_not_trusted"


async def test_a_message_of_another_type_is_unreadable() -> None:
    parts = Parts()
    with pytest.raises(UnreadableError):
        await parts.answers.compose((await parts.ask(CertifyContent(csr=CSR, names=("gw",)))).envelope(START))
