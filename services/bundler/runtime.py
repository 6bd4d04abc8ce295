"""Checking a runtime: nothing of it counts that the release key did not sign.

The whole zip is held against its signed list before it is published, and again by each bundler before it composes with
what the store gives it: who can write to the store cannot put a program on a fleet.
"""

import hashlib
import io
import zipfile
import zlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from libs.domain.errors import KeyturnError
from libs.wire.release import MAX_FILES, RUNTIME_MANIFEST, File, RuntimeManifest
from libs.wire.sign import BadSignatureError, Prefix, Signed, verify_any
from services.bundler.zip_tail import Directory, split

MAX_RUNTIME_BYTES = 256 * 1024 * 1024
"""Of the zip, and of what it unpacks to."""

_MAX_MANIFEST_BYTES = 2 * 1024 * 1024


class RuntimeNotTrustedError(KeyturnError):
    """Not signed by the release key, or not what was signed. Permanent."""


@dataclass(frozen=True)
class Runtime:
    """A checked runtime, without its bytes."""

    hash: str  # SHA-256 of the whole zip, hexadecimal: its name
    directory: Directory
    manifest: RuntimeManifest
    files: tuple[File, ...]  # those of the manifest, and the manifest itself


def check_runtime(raw: bytes, *releases: Ed25519PublicKey) -> Runtime:
    """The runtime in a zip, once its list was found signed by one of these releases, and every file as listed.

    Raises:
        RuntimeNotTrustedError: another key, a file missing, altered or too many, or no such zip.
    """
    if len(raw) > MAX_RUNTIME_BYTES:
        raise RuntimeNotTrustedError(f"the runtime has {len(raw)} bytes; {MAX_RUNTIME_BYTES} are allowed")
    try:
        directory = split(raw)
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            manifest, own = _manifest(archive, releases)
            _check_files(archive, manifest)
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise RuntimeNotTrustedError(f"the runtime is damaged: {error}") from error
    files = tuple(sorted((*manifest.files, own), key=lambda file: file.path))
    return Runtime(hashlib.sha256(raw).hexdigest(), directory, manifest, files)


def _manifest(archive: zipfile.ZipFile, releases: tuple[Ed25519PublicKey, ...]) -> tuple[RuntimeManifest, File]:
    try:
        entry = archive.getinfo(RUNTIME_MANIFEST)
    except KeyError:
        raise RuntimeNotTrustedError(f"the runtime has no {RUNTIME_MANIFEST}") from None
    raw = _read(archive, entry, _MAX_MANIFEST_BYTES)
    try:
        listed = verify_any(Signed.model_validate_json(raw), Prefix.RELEASE, releases)
        manifest = RuntimeManifest.model_validate_json(listed)
    except BadSignatureError as error:
        raise RuntimeNotTrustedError(f"the runtime is not signed by the release key: {error}") from error
    except ValidationError as error:
        raise RuntimeNotTrustedError(f"{RUNTIME_MANIFEST} is of another shape") from error
    return manifest, _as_found(entry, raw)


def _check_files(archive: zipfile.ZipFile, manifest: RuntimeManifest) -> None:
    listed = {file.path: file for file in manifest.files}
    entries = [entry for entry in archive.infolist() if entry.filename != RUNTIME_MANIFEST]
    if len(entries) + 1 != len(archive.infolist()) or len(entries) > MAX_FILES:
        raise RuntimeNotTrustedError("the runtime lists a file twice, or too many")
    if sorted(entry.filename for entry in entries) != sorted(listed) or len(listed) != len(manifest.files):
        raise RuntimeNotTrustedError("the runtime's files are not those that were signed")
    if sum(file.size for file in manifest.files) > MAX_RUNTIME_BYTES:
        raise RuntimeNotTrustedError(f"the runtime unpacks to more than {MAX_RUNTIME_BYTES} bytes")
    for entry in entries:
        signed = listed[entry.filename]
        if _as_found(entry, _read(archive, entry, signed.size)) != signed:
            raise RuntimeNotTrustedError(f"{entry.filename} is not as it was signed")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, at_most: int) -> bytes:
    """The entry's bytes, never more than allowed, whatever the zip claims."""
    with archive.open(entry) as stream:
        raw = stream.read(at_most + 1)
    if len(raw) > at_most:
        raise RuntimeNotTrustedError(f"{entry.filename} is longer than it may be")
    return raw


def _as_found(entry: zipfile.ZipInfo, raw: bytes) -> File:
    return File(
        path=entry.filename,
        mode=(entry.external_attr >> 16) & 0o777,
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
    )
