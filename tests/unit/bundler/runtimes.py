"""A small real runtime, signed, as `make runtime-linux` makes a large one."""

import hashlib
import io
import zipfile
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.wire.release import RUNTIME_MANIFEST, File, RuntimeManifest
from libs.wire.requests import Platform
from libs.wire.sign import Prefix, sign

FILES: Mapping[str, tuple[int, bytes]] = {
    "keyturn-agent/keyturn-agent": (0o755, b"\x7fELF" + bytes(range(256)) * 40),
    "keyturn-agent/_internal/base_library.zip": (0o644, b"PK\x05\x06 not the end of this zip" * 30),
    "keyturn-agent/_internal/libpython3.11.so.1.0": (0o644, b"library " * 5_000),
}


def manifest_of(files: Mapping[str, tuple[int, bytes]]) -> RuntimeManifest:
    return RuntimeManifest(
        platform=Platform.LINUX,
        release="0.1.0",
        machine="x86_64",
        libc="glibc 2.36",
        files=tuple(
            File(path=path, mode=mode, size=len(raw), sha256=hashlib.sha256(raw).hexdigest())
            for path, (mode, raw) in sorted(files.items())
        ),
    )


def zipped(files: Mapping[str, tuple[int, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, (mode, raw) in sorted(files.items()):
            entry = zipfile.ZipInfo(path)
            entry.external_attr, entry.compress_type = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, raw)
    return out.getvalue()


def signed_runtime(
    release: Ed25519PrivateKey,
    files: Mapping[str, tuple[int, bytes]] = FILES,
    manifest: RuntimeManifest | None = None,
) -> bytes:
    """A runtime zip of `files`; with `manifest`, signed over that list instead of the true one."""
    listed = manifest or manifest_of(files)
    signed = sign(listed.to_bytes(), Prefix.RELEASE, release).model_dump_json().encode()
    return zipped({**files, RUNTIME_MANIFEST: (0o644, signed)})
