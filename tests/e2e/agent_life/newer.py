"""Other releases of the runtime, made from the built one in a second: its version is rewritten where it is packed, or
its program is another one. Each is signed as a release is, with its statement beside it.
"""

import hashlib
import io
import marshal
import time
import types
import zipfile
import zlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from PyInstaller.archive.readers import CArchiveReader

from agent.packaging.linux.build import manifest_in
from agent.packaging.linux.statement import GOOD_FOR, statement
from agent.version import VERSION
from libs.wire.release import RUNTIME_MANIFEST, STATEMENT_SUFFIX, File
from libs.wire.sign import Prefix, Signed, sign

PROGRAM = "runtime/keyturn-agent"


def release_key(root: Path) -> Ed25519PrivateKey:
    """The key by which this checkout signs its runtimes."""
    key = load_pem_private_key((root / "build/release/release.key").read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def of_version(program: bytes, release: str, folder: Path) -> bytes:
    """The packed program, which says that it is this release. The module is written over itself, a little shorter."""
    found = folder / "program"
    found.write_bytes(program)
    archive = CArchiveReader(str(found))
    (name,) = [each for each in archive.toc if each.startswith("PYZ")]
    raw = archive.open_embedded_archive(name).extract("agent.version", raw=True)
    code = marshal.loads(raw)  # noqa: S302 - our own program
    assert isinstance(code, types.CodeType)
    packed = zlib.compress(raw, 6)
    assert program.count(packed) == 1
    said = tuple(release if each == VERSION else "" if isinstance(each, str) else each for each in code.co_consts)
    after = zlib.compress(marshal.dumps(code.replace(co_consts=said, co_filename="")), 9)
    assert len(after) <= len(packed)
    return program.replace(packed, after.ljust(len(packed), b"\0"))


def newer(root: Path, folder: Path, release: str, program: bytes | None = None) -> Path:
    """A runtime of this release, with its statement beside it; small and with this program, if one is given."""
    built = next((root / "build/release").glob("runtime-linux-*.zip"))
    with zipfile.ZipFile(built) as archive:
        names = [PROGRAM, "runtime/glibc", "runtime/machine"] if program else archive.namelist()
        content = {name: archive.read(name) for name in names if name != RUNTIME_MANIFEST}
    content[PROGRAM] = program or of_version(content[PROGRAM], release, folder)
    manifest = manifest_in(built).model_copy(
        update={
            "release": release,
            "files": tuple(
                File(
                    path=name,
                    mode=0o755 if name == PROGRAM else 0o644,
                    size=len(raw),
                    sha256=hashlib.sha256(raw).hexdigest(),
                )
                for name, raw in sorted(content.items())
            ),
        }
    )
    content[RUNTIME_MANIFEST] = sign(manifest.to_bytes(), Prefix.RELEASE, release_key(root)).to_bytes()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, raw in sorted(content.items()):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, (0o755 if name == PROGRAM else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, raw)
    target = folder / f"runtime-{release}.zip"
    target.write_bytes(made.getvalue())
    said = stated(target, release_key(root))
    target.with_name(target.name + STATEMENT_SUFFIX).write_bytes(said.to_bytes())
    return target


def stated(runtime: Path, key: Ed25519PrivateKey, *, good_for: int = GOOD_FOR) -> Signed:
    """A statement about this runtime, signed by whichever key."""
    now = time.time_ns() // 1_000_000
    said = statement(runtime.read_bytes(), manifest_in(runtime), now=now, good_for=good_for)
    return sign(said.to_bytes(), Prefix.STATEMENT, key)
