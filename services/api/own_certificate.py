"""A certificate that the operator brought: of a public authority, or of the company's own.

Checked at the start: the key fits, and every name in KEYTURN_NAMES is in it. Its dates are only warned of, because
agents do not look at them, and a closed door helps nobody. The file is read again when it was replaced, so that
whatever renews it needs no word to us. Agents trust it by a notice (`keyturn-server own-authority trust`) or by their
TrustFile.
"""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from libs.pki.check import issued_by
from libs.pki.times import DAY_MS, millis
from libs.service.settings import SettingsError
from services.api.tls import context_with

OWN_AUTHORITIES = "own-ca.pem"
WARNED_DAYS = 14
_LOOK_SECONDS = 60.0

_log = structlog.get_logger(__name__)


@dataclass
class OwnCertificate:
    """Serves it, and reads it again when it was replaced. `clock` in Unix milliseconds.

    Raises:
        SettingsError: it does not serve; a sentence for each reason.
    """

    certificate: Path
    key: Path
    public: Path
    names: Sequence[str]
    clock: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]

    def __post_init__(self) -> None:
        self._warned: tuple[str, ...] = ()
        self._warn(self._checked())
        self._seen = self._stamp()

    async def ready(self) -> ssl.SSLContext:
        """A context with it."""
        return context_with(self.certificate, self.key)

    async def keep(self, context: ssl.SSLContext) -> None:
        """For ever: what replaced the files is served as soon as it serves."""
        while True:
            await self.sleep(_LOOK_SECONDS)
            try:
                chain, stamp = self._checked(), self._stamp()
            except SettingsError as error:
                # Files are replaced one after another: in between they do not fit, and the old ones go on.
                self._say(*error.lines)
                continue
            if stamp != self._seen:
                context.load_cert_chain(self.certificate, self.key)
                self._seen = stamp
                _log.info("serves a new certificate", file=str(self.certificate))
            self._warn(chain)

    # ---- parts

    def _checked(self) -> list[x509.Certificate]:
        try:
            chain = x509.load_pem_x509_certificates(self.certificate.read_bytes())
            private = load_pem_private_key(self.key.read_bytes(), password=None)
        except OSError as error:
            raise SettingsError(f"{error.filename}: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            raise SettingsError(f"{self.certificate} or {self.key}: no certificate and its key in PEM") from error
        wrong = []
        if private.public_key() != chain[0].public_key():
            wrong.append(f"{self.key} is not the key of {self.certificate}")
        wrong += [f"{self.certificate} is not for {name}" for name in self.names if not covers(chain[0], name)]
        if wrong:
            raise SettingsError(*wrong)
        return chain

    def _warn(self, chain: list[x509.Certificate]) -> None:
        begins, ends = millis(chain[0].not_valid_before_utc), millis(chain[0].not_valid_after_utc)
        now, said = self.clock(), []
        if now < begins:
            said.append(f"{self.certificate} is not good yet; browsers will refuse it")
        elif ends <= now:
            said.append(f"{self.certificate} has expired; browsers refuse it, agents do not")
        elif ends - now < WARNED_DAYS * DAY_MS:
            said.append(f"{self.certificate} expires in {(ends - now) // DAY_MS} days")
        if not self._known(chain):
            said.append(
                f"{self.certificate} is of no authority that agents were told of: they need TrustFile, or"
                " `keyturn-server own-authority trust PEM`"
            )
        self._say(*said)

    def _known(self, chain: list[x509.Certificate]) -> bool:
        """Whether a notice has told agents of an authority that this chain leads to."""
        told: list[x509.Certificate] = []
        for name in (OWN_AUTHORITIES, "server-ca.pem"):
            path = self.public / name
            if path.exists():
                told += x509.load_pem_x509_certificates(path.read_bytes())
        return any(each in told or any(issued_by(each, authority) for authority in told) for each in chain)

    def _say(self, *sentences: str) -> None:
        """Each is said once, until another one is."""
        if sentences != self._warned:
            for each in sentences:
                _log.warning("certificate", why=each)
        self._warned = sentences

    def _stamp(self) -> tuple[int, int]:
        return self.certificate.stat().st_mtime_ns, self.key.stat().st_mtime_ns


def covers(certificate: x509.Certificate, name: str) -> bool:
    """Whether a certificate is good for a name or an address; a star stands for one label."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ip_address(name) in found.get_values_for_type(x509.IPAddress)
    except ValueError:
        wanted = name.lower()
        star = "*." + wanted.partition(".")[2]
        return {each.lower() for each in found.get_values_for_type(x509.DNSName)} & {wanted, star} != set()
