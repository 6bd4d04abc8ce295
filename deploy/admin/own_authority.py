"""Authorities of a certificate that the operator brought for the gateway: agents are told to trust them for servers.

They are trusted beside our own, never in its place: so the way back to the gateway's own certificate is always open.
The name of the server still has to be in the certificate.
"""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_pem_x509_certificates

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.files import replace
from deploy.admin.notices import publish


def trust_authority(folder: Path, file: Path, *, now: int) -> int | None:
    """Adds the authorities in a PEM file; the notice that says so, None where agents were told already.

    Raises:
        AdminError: the file holds no certificate, or something cannot be read or written.
    """
    there = _read(folder / layout.PUBLIC / layout.OWN_AUTHORITIES, missing=True)
    return _put(folder, [*there, *(each for each in _read(file) if each not in there)], now=now)


def distrust_authority(folder: Path, file: Path, *, now: int) -> int | None:
    """Takes the authorities in a PEM file away; the notice that says so.

    Raises:
        AdminError: it is not trusted, or something cannot be read or written.
    """
    path = folder / layout.PUBLIC / layout.OWN_AUTHORITIES
    there, gone = _read(path, missing=True), _read(file)
    if not any(each in there for each in gone):
        raise AdminError(f"{path} holds none of the authorities in {file}")
    return _put(folder, [each for each in there if each not in gone], now=now)


def _put(folder: Path, authorities: list[Certificate], *, now: int) -> int | None:
    path = folder / layout.PUBLIC / layout.OWN_AUTHORITIES
    content = b"".join(each.public_bytes(Encoding.PEM) for each in authorities)
    try:
        if content:
            replace(path, content, layout.PUBLIC_FILE_MODE)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise AdminError(f"{path} cannot be written: {error.strerror}") from error
    return publish(folder, now=now)


def _read(path: Path, *, missing: bool = False) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except FileNotFoundError:
        if missing:
            return []
        raise AdminError(f"{path} is not there") from None
    except OSError as error:
        raise AdminError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise AdminError(f"{path} holds no certificate in PEM") from error
