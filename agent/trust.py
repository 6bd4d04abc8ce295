"""What the package brought along: authorities to trust for HTTPS, public keys, and the notice of its day.

What came since is `agent.following`.
"""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import TypeAdapter, ValidationError

from libs.wire.agent_api import EnrolmentToken
from libs.wire.key_files import signing_publics
from libs.wire.notice import SignedNotice

_TOKEN: TypeAdapter[str] = TypeAdapter(EnrolmentToken)
_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the standard library does not name."""


class PackageError(Exception):
    """The package's files are missing or damaged. Permanent: unpack and install it again."""


@dataclass(frozen=True)
class Package:
    """The files beside the program."""

    folder: Path
    task_keys: tuple[Ed25519PublicKey, ...]
    configuration_keys: tuple[Ed25519PublicKey, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The package in a folder.

        Raises:
            PackageError: a file is missing or damaged.
        """
        return cls(folder, _keys(folder / "keys" / "task.pem"), _keys(folder / "keys" / "configuration.pem"))

    def release_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """Whose programs count; none where the package brought no such key, or it is damaged."""
        try:
            return _keys(self.folder / "keys" / "release.pem")
        except PackageError:
            return ()

    def notice(self) -> SignedNotice | None:
        """The notice of the day on which the package was built; None where there was none yet. Not checked here.

        Raises:
            PackageError: the file is damaged.
        """
        path = self.folder / "keys" / "notice.json"
        try:
            return SignedNotice.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise PackageError(f"{path} cannot be read; install the package again") from error

    def token(self) -> str | None:
        """The enrolment token, or None where it was taken away.

        Raises:
            PackageError: the file holds something else. What it holds is not said, for it may be most of a token.
        """
        path = self.folder / "token"
        try:
            text = path.read_text("ascii", "replace").strip()
        except OSError:
            return None
        try:
            return _TOKEN.validate_python(text) if text else None
        except ValidationError:
            raise PackageError(f"{path} is damaged; install a newly downloaded package") from None


def trusting(*files: Path | None, certificates: Iterable[bytes] = ()) -> ssl.SSLContext:
    """Trust in these PEM files and DER certificates, and in nothing else.

    The dates of certificates are not checked, because no decision of an agent rests on its own clock; pin and name
    hold.

    Raises:
        PackageError: a certificate file is missing or damaged.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= _NO_CHECK_TIME
    for each in certificates:
        context.load_verify_locations(cadata=each)
    for path in files:
        if path is None:
            continue
        try:
            context.load_verify_locations(cafile=str(path))
        except (OSError, ssl.SSLError) as error:
            raise PackageError(f"{path} holds no certificate that can be trusted") from error
    return context


def _keys(path: Path) -> tuple[Ed25519PublicKey, ...]:
    try:
        return signing_publics(path.read_bytes())
    except (OSError, ValueError) as error:
        raise PackageError(f"{path} cannot be read; install the package again") from error
