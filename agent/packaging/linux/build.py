"""The packed agent: one folder with its own Python, so that a host needs none, as a zip that the release key signs.

    runtime/keyturn-agent     the program
    runtime/_internal/        its Python and libraries
    runtime/turn.sh           starts the program, and turns to a newer one and back
    runtime/sbom.cdx.json     what it is made of, for scanners (CycloneDX)
    runtime/glibc             the oldest glibc it runs on, for the installer, which has no Python to ask
    runtime/machine           the kind of processor, such as x86_64, for the same reader
    runtime.json              every file with its SHA-256, signed

`pack` makes the program's folder. The zip is a function of its inputs; they are hashed, and an
unchanged hash builds nothing.
"""

import fcntl
import hashlib
import io
import platform
import re
import shutil
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from agent.identity import write_whole
from agent.packaging.linux.interpreter import brings
from agent.packaging.linux.pack import PROGRAM, BuildError, pack
from agent.packaging.linux.sbom import FILE as SBOM
from agent.packaging.linux.sbom import sbom
from agent.packaging.linux.statement import write_statement
from agent.version import VERSION
from libs.wire.release import RUNTIME_MANIFEST, File, RuntimeManifest
from libs.wire.requests import Platform
from libs.wire.sign import Prefix, Signed, sign

NAME = f"runtime-linux-{platform.machine()}.zip"
LOCK = "requirements/agent.txt"
TURN = "turn.sh"

_SOURCES = ("agent", "libs/wire", "libs/domain")
_NOT_PACKED = re.compile(r"/libcrypt\.so")
_GLIBC = re.compile(rb"\0GLIBC_2\.([0-9]{1,3})(?:\.[0-9]+)?\0")
_RELATIVE_RELOCATIONS = b"\0GLIBC_ABI_DT_RELR\0"  # what a linker writes in place of the version 2.36
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PLAIN, _RUN = 0o644, 0o755


def build(root: Path, release: Path, key_file: Path | None) -> tuple[Path, bool]:
    """The signed runtime's zip, and whether it was built now.

    Args:
        root: The checkout.
        release: Where runtime, key and public key go.
        key_file: The release key; one of this folder's own is made where none is given.

    Raises:
        BuildError: a tool or the key is missing.
    """
    release.mkdir(parents=True, exist_ok=True)
    with (release / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # a demo and the tests may ask for the runtime at the same time
        return _build(root, release, key_file)


def _build(root: Path, release: Path, key_file: Path | None) -> tuple[Path, bool]:
    key = release_key(release, key_file)
    stamp, target = release / f"{NAME}.inputs", release / NAME
    inputs = inputs_of(root, key)
    if target.exists() and stamp.exists() and stamp.read_text() == inputs:
        state(target, key)
        return target, False
    folder = pack(root, release / "work")
    write_runtime(target, folder, key, sbom(root / LOCK, brings()))
    stamp.write_text(inputs)
    shutil.rmtree(release / "work")
    return target, True


def write_runtime(target: Path, folder: Path, key: Ed25519PrivateKey, parts: bytes) -> None:
    """Writes the signed zip of the program in `folder`, with its list of `parts`, and its statement."""
    aside = target.with_name(f"{target.name}.new")
    aside.write_bytes(_zip(folder, key, parts))
    aside.replace(target)
    state(target, key)


def state(target: Path, key: Ed25519PrivateKey) -> None:
    """Writes the statement beside a runtime, where none lies there that is good for a while yet."""
    write_statement(target, manifest_in(target), key, now=time.time_ns() // 1_000_000)


def manifest_in(runtime: Path) -> RuntimeManifest:
    """What a runtime's zip says of itself, which was made here."""
    with zipfile.ZipFile(runtime) as archive:
        listed = Signed.model_validate_json(archive.read(RUNTIME_MANIFEST))
    return RuntimeManifest.model_validate_json(listed.payload)


def release_key(release: Path, key_file: Path | None) -> Ed25519PrivateKey:
    """The key in `key_file`, or the one of this folder's own, which is made where there is none.

    Raises:
        BuildError: it holds none.
    """
    path = key_file or release / "release.key"
    if key_file is None and not path.exists():
        made = Ed25519PrivateKey.generate()
        write_whole(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise BuildError(f"{path} holds no release key: an Ed25519 private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BuildError(f"{path} holds another kind of key: an Ed25519 private key is needed")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (release / "release.pem").write_bytes(public)
    return key


def inputs_of(root: Path, key: Ed25519PrivateKey) -> str:
    """A hash over everything that the zip is made from."""
    digest = hashlib.sha256(f"{sys.version}\0{platform.libc_ver()}\0".encode() + key.public_key().public_bytes_raw())
    others = (LOCK, f"agent/packaging/linux/{TURN}")
    files = [*(root / each for each in others), *(each for part in _SOURCES for each in (root / part).rglob("*.py"))]
    for path in sorted(files):
        digest.update(f"{path.relative_to(root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _zip(folder: Path, key: Ed25519PrivateKey, parts: bytes) -> bytes:
    """The runtime's zip. Links are followed: a zip that any tool unpacks has plain files only."""
    content = {f"runtime/{path.relative_to(folder)}": path.read_bytes() for path in _files(folder)}
    # The agent trusts its package's authority alone, so the world's authorities do not travel with it.
    content.pop("runtime/_internal/certifi/cacert.pem", None)
    if strange := [name for name in content if _NOT_PACKED.search(name)]:
        raise BuildError(f"{strange[0]} was packed; the agent must ask the library of its host")
    libc = f"2.{_newest_glibc(content.values())}"
    content["runtime/glibc"] = f"{libc}\n".encode()
    content["runtime/machine"] = f"{platform.machine()}\n".encode()
    content[SBOM] = parts
    content[f"runtime/{TURN}"] = Path(__file__).with_name(TURN).read_bytes()
    modes = {name: _RUN if name == f"runtime/{PROGRAM}" else _PLAIN for name in content}
    manifest = RuntimeManifest(
        platform=Platform.LINUX,
        release=VERSION,
        machine=platform.machine(),
        libc=f"glibc {libc}",
        files=tuple(
            File(path=name, mode=modes[name], size=len(raw), sha256=hashlib.sha256(raw).hexdigest())
            for name, raw in sorted(content.items())
        ),
    )
    content[RUNTIME_MANIFEST] = sign(manifest.to_bytes(), Prefix.RELEASE, key).to_bytes()
    modes[RUNTIME_MANIFEST] = _PLAIN
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, raw in sorted(content.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, (0o100000 | modes[name]) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, raw)
    return made.getvalue()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _newest_glibc(contents: Iterable[bytes]) -> int:
    """The minor version of the newest glibc symbol that any ELF file asks for."""
    found = [17]  # what manylinux wheels ask for at least
    for raw in contents:
        if raw[:4] == b"\x7fELF":
            # A name may begin where the one before it ends, so the pattern's last byte is looked at again.
            found += [int(match[1]) for match in re.finditer(_GLIBC, raw.replace(b"\0", b"\0\0"))]
            found += [36] if _RELATIVE_RELOCATIONS in raw else []
    return max(found)
