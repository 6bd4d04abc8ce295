"""What the package brought along: the authority to trust for HTTPS, and the public keys of the scheduler, the vault and
recovery.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import TypeAdapter, ValidationError

from libs.wire.agent_api import EnrolmentToken

_TOKEN: TypeAdapter[str] = TypeAdapter(EnrolmentToken)
_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the standard library does not name."""


class PackageError(Exception):
    """The package's files are missing or damaged. Permanent: unpack and install it again."""


@dataclass(frozen=True)
class Package:
    """The files beside the program."""

    folder: Path
    task_key: Ed25519PublicKey

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The package in a folder.

        Raises:
            PackageError: a file is missing or damaged.
        """
        path = folder / "keys" / "task.pem"
        try:
            key = load_pem_public_key(path.read_bytes())
        except (OSError, ValueError) as error:
            raise PackageError(f"{path} cannot be read; install the package again") from error
        if not isinstance(key, Ed25519PublicKey):
            raise PackageError(f"{path} holds another kind of key; install the package again")
        return cls(folder, key)

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

    def tls(self, trust_file: Path | None) -> ssl.SSLContext:
        """Trust in the package's certificate, in the file that the operator names, and in nothing else.

        The dates of certificates are not checked, because no decision of an agent rests on its own clock; pin and name
        hold.

        Raises:
            PackageError: a certificate file is missing or damaged.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags |= _NO_CHECK_TIME
        for path in (self.folder / "trust.pem", trust_file):
            if path is None:
                continue
            try:
                context.load_verify_locations(cafile=str(path))
            except (OSError, ssl.SSLError) as error:
                raise PackageError(f"{path} holds no certificate that can be trusted") from error
        return context
