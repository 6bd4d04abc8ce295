"""The gateway's own key and certificate.

The key is made here, in the gateway's private folder, and never leaves it. The certificate comes from the bundler by
one signed question; until there is one, port 7272 is closed and health says why. It is renewed at two thirds of its
life, and at once where its authority is not the one in use any more; new handshakes use it at once. An operator's own
certificate is `services.api.own_certificate`.
"""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from libs.pki.check import issued_by
from libs.pki.times import millis
from libs.service.private_files import write_private
from libs.wire.events import CertifyAsked
from libs.wire.requests import Certified, CertifyContent
from services.api.calls import Calls
from services.api.errors import AwayError, DeclinedError

KEY_FILE, CERTIFICATE_FILE = "tls.key", "tls.pem"
_ASK_SECONDS = 10.0
_MOST_PAUSE = 30.0
_LOOK_SECONDS = 3_600.0
_SOON_SECONDS = 60.0


class UnfitCertificateError(ValueError):
    """The certificate is not for our key, our names, our time, or not of the server authority."""


def own_key(private: Path) -> EllipticCurvePrivateKey:
    """The key in the private folder; made where there is none.

    Raises:
        ValueError: the file holds another kind of key.
    """
    path = private / KEY_FILE
    if not path.exists():
        made = generate_private_key(SECP256R1())
        write_private(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError(f"{path}: a P-256 private key is required")  # noqa: TRY004 - the file's value is wrong
    return key


def check(
    pem: bytes,
    key: EllipticCurvePrivateKey,
    authority: x509.Certificate,
    names: Sequence[str],
    now: int,
    *,
    beside: Sequence[x509.Certificate] = (),
) -> int:
    """When to renew the certificate, Unix milliseconds: at two thirds of its life, or now if it is of one `beside`.

    Raises:
        UnfitCertificateError: it does not serve.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        of_another = any(issued_by(certificate, each) for each in beside)
        if not of_another:
            certificate.verify_directly_issued_by(authority)
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
        raise UnfitCertificateError("not a certificate of the server authority") from error
    if certificate.public_key() != key.public_key():
        raise UnfitCertificateError("for another key")
    good_for = {str(each.value) for each in alternatives}
    missing = [name for name in names if _as_certified(name) not in good_for]
    if missing:
        raise UnfitCertificateError(f"not for {', '.join(missing)}")
    begins, ends = millis(certificate.not_valid_before_utc), millis(certificate.not_valid_after_utc)
    if not begins <= now < ends:
        raise UnfitCertificateError("outside its dates")
    return now if of_another else begins + (ends - begins) * 2 // 3


def _as_certified(name: str) -> str:
    """A name as a certificate gives it back: an IP address in its short form."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name


def context_of(private: Path) -> ssl.SSLContext:
    """What the port speaks, with the gateway's own certificate."""
    return context_with(private / CERTIFICATE_FILE, private / KEY_FILE)


def context_with(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the port speaks: TLS 1.2 and later, and no session tickets, which cost a held connection memory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key)
    return context


@dataclass
class Certificate:
    """Keeps the certificate in the private folder good. `say` is told in a sentence what it waits for, or None."""

    private: Path
    names: Sequence[str]
    authority: x509.Certificate
    calls: Calls
    clock: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]
    say: Callable[[str | None], None]
    beside: Sequence[x509.Certificate] = ()

    async def ready(self) -> ssl.SSLContext:
        """A context with a good certificate; where there is none, asks the bundler, for as long as it takes."""
        key, pause = own_key(self.private), 1.0
        if self._renew_at(key) is None:
            while not await self._asked(key, "waits for its certificate from the bundler"):
                await self.sleep(pause)
                pause = min(pause * 2, _MOST_PAUSE)
        return context_of(self.private)

    async def keep(self, context: ssl.SSLContext) -> None:
        """Renews for ever, and lets `context` use what came."""
        key = own_key(self.private)
        while True:
            renew_at = self._renew_at(key)
            due = renew_at is None or renew_at <= self.clock()
            if due and await self._asked(key, "could not renew its certificate yet"):
                context.load_cert_chain(self.private / CERTIFICATE_FILE, self.private / KEY_FILE)
            # What was due is looked at again soon: the bundler was away, or still issued by the authority before.
            await self.sleep(_SOON_SECONDS if due else _LOOK_SECONDS)

    def _renew_at(self, key: EllipticCurvePrivateKey) -> int | None:
        """When to renew the certificate in the folder; None where there is none that serves."""
        path = self.private / CERTIFICATE_FILE
        try:
            return check(path.read_bytes(), key, self.authority, self.names, self.clock(), beside=self.beside)
        except (FileNotFoundError, UnfitCertificateError):
            return None

    async def _asked(self, key: EllipticCurvePrivateKey, waiting: str) -> bool:
        """Whether the bundler gave a certificate that serves; it is in the folder then."""
        away = AwayError("The bundler does not answer.", "bundler_away")
        content = CertifyContent(csr=_request(key), names=tuple(self.names))
        try:
            answer = await self.calls.ask(
                CertifyAsked, content, Certified, person=None, seconds=_ASK_SECONDS, away=away
            )
            check(answer.certificate, key, self.authority, self.names, self.clock(), beside=self.beside)
        except (AwayError, DeclinedError, UnfitCertificateError) as error:
            self.say(f"{waiting}: {error}")
            return False
        write_private(self.private / CERTIFICATE_FILE, answer.certificate)
        self.say(None)
        return True


def _request(key: EllipticCurvePrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keyturn-gateway")])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256()).public_bytes(Encoding.DER)
