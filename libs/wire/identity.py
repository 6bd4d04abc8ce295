"""Who an agent is, as its certificate says it: an extension of our own that binds two keys to an agent and a resource.

An agent signs with P-256, which the certificate itself carries, and opens what is sealed to it with X25519, which only
this extension names. The request that the agent makes on its host carries the sealing key and no names, because the
bundler gives those:

    Identity ::= SEQUENCE { sealingKey OCTET STRING (SIZE (32)), agent UTF8String, resource UTF8String }

In a request agent and resource are empty. The object identifiers lie under 2.25, where a UUID needs no registry.
"""

from typing import Annotated, NamedTuple

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

IDENTITY = x509.ObjectIdentifier("2.25.211224966227853306715257479127078792274")
"""The extension."""

AGENT_USAGE = x509.ObjectIdentifier("2.25.303900755933225093804935262734216377477")
"""The extended key usage of an agent's certificate: nothing else takes it for a server's or a TLS client's."""


@asn1.sequence
class _Identity:
    sealing_key: Annotated[bytes, asn1.Size.exact(32)]
    agent: str
    resource: str


class UnreadableIdentityError(ValueError):
    """The extension is missing or of another shape. Permanent."""


class Identity(NamedTuple):
    """What the extension says. In a request `agent` and `resource` are empty."""

    sealing_key: X25519PublicKey
    agent: str = ""
    resource: str = ""

    def extension(self) -> x509.UnrecognizedExtension:
        value = _Identity(
            sealing_key=self.sealing_key.public_bytes_raw(),
            agent=self.agent,
            resource=self.resource,
        )
        return x509.UnrecognizedExtension(IDENTITY, asn1.encode_der(value))


def read_identity(extensions: x509.Extensions) -> Identity:
    """The identity among the extensions of a certificate or a request.

    Raises:
        UnreadableIdentityError: there is none, or it is of another shape.
    """
    try:
        found = extensions.get_extension_for_oid(IDENTITY).value
    except x509.ExtensionNotFound as error:
        raise UnreadableIdentityError("the extension with the sealing key is missing") from error
    if not isinstance(found, x509.UnrecognizedExtension):
        raise UnreadableIdentityError("the extension with the sealing key is of another shape")
    try:
        value = asn1.decode_der(_Identity, found.value)
        return Identity(X25519PublicKey.from_public_bytes(value.sealing_key), value.agent, value.resource)
    except ValueError as error:
        raise UnreadableIdentityError("the extension with the sealing key is of another shape") from error


def agent_csr(private: EllipticCurvePrivateKey, sealing: X25519PublicKey) -> bytes:
    """An agent's certificate request, DER: signed by its P-256 key, with its sealing key in the extension."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keyturn-agent")]))
        .add_extension(Identity(sealing).extension(), critical=False)
        .sign(private, SHA256())
        .public_bytes(Encoding.DER)
    )
