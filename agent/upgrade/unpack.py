"""Unpacking a runtime beside the present one: whole, as its release signed it, and on the disk before it has its name.

The zip's list must be signed, and every file be as listed: its name below `runtime/`, its length, its hash, its mode.
"""

import errno
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from agent.host.durable import sync_folder
from agent.upgrade.offer import UpgradeError
from libs.wire.reasons import UpgradeTrouble
from libs.wire.release import RUNTIME_MANIFEST, File, RuntimeManifest
from libs.wire.sign import BadSignatureError, Prefix, Signed, verify_any

_TOP = "runtime"
_MAX_MANIFEST_BYTES = 2 * 1024 * 1024
_MAX_UNPACKED_BYTES = 256 * 1024 * 1024
_SPARE_BYTES = 32 * 1024 * 1024
"""What an upgrade leaves free for everybody else."""


Free = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    """How many bytes are free below a folder."""
    return shutil.disk_usage(folder).free


def unpack(
    archive: Path, target: Path, releases: Sequence[Ed25519PublicKey], release: str, free: Free = free_bytes
) -> None:
    """Unpacks `runtime/` of the zip as the folder `target`, which is there whole or not at all.

    Its signed list goes in as `runtime.json`.

    Raises:
        UpgradeError: `upgrade_damaged`, `upgrade_not_trusted`, `upgrade_no_space`; nothing is left of it then.
    """
    aside = target.with_name(f"{target.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            raw, manifest = _manifest(opened, releases)
            if manifest.release != release:
                raise UpgradeError(UpgradeTrouble.DAMAGED, f"the runtime says that it is {manifest.release}")
            _fits(aside.parent, manifest, free)
            aside.mkdir(mode=0o755)
            for file in manifest.files:
                _unpack(opened, file, aside)
            _write(aside / RUNTIME_MANIFEST, raw, 0o644)
        for folder, _, _ in os.walk(aside):
            Path(folder).chmod(0o755)
            sync_folder(Path(folder))
        aside.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        code = UpgradeTrouble.NO_SPACE if error.errno in (errno.ENOSPC, errno.EDQUOT) else UpgradeTrouble.DAMAGED
        raise UpgradeError(code, str(error)) from error
    # What zipfile raises for a damaged archive, by what is damaged: frame, stream, end, an entry, a method, a flag.
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise UpgradeError(UpgradeTrouble.DAMAGED, str(error)) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _manifest(opened: zipfile.ZipFile, releases: Sequence[Ed25519PublicKey]) -> tuple[bytes, RuntimeManifest]:
    with opened.open(RUNTIME_MANIFEST) as stream:
        raw = stream.read(_MAX_MANIFEST_BYTES)
    try:
        listed = verify_any(Signed.model_validate_json(raw), Prefix.RELEASE, releases)
        return raw, RuntimeManifest.model_validate_json(listed)
    except BadSignatureError as error:
        raise UpgradeError(UpgradeTrouble.NOT_TRUSTED, f"its list of files: {error}") from error
    except ValidationError as error:
        raise UpgradeError(UpgradeTrouble.DAMAGED, "its list of files is of another shape") from error


def _fits(folder: Path, manifest: RuntimeManifest, free: Free) -> None:
    """Returns where there is space for all of it."""
    needs = sum(file.size for file in manifest.files)
    if needs > _MAX_UNPACKED_BYTES:
        raise UpgradeError(UpgradeTrouble.DAMAGED, f"it unpacks to {needs} bytes")
    if free(folder) < needs + _SPARE_BYTES:
        raise UpgradeError(UpgradeTrouble.NO_SPACE, f"{folder} has no {needs + _SPARE_BYTES} bytes left")


def _unpack(opened: zipfile.ZipFile, file: File, target: Path) -> None:
    top, _, below = file.path.partition("/")
    if top != _TOP or not below:
        raise UpgradeError(UpgradeTrouble.DAMAGED, f"{file.path} is not below {_TOP}/")
    with opened.open(file.path) as stream:
        raw = stream.read(file.size + 1)
    if len(raw) != file.size or hashlib.sha256(raw).hexdigest() != file.sha256:
        raise UpgradeError(UpgradeTrouble.DAMAGED, f"{file.path} is not as it was signed")
    path = target / below
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _write(path, raw, file.mode & 0o755)


def _write(path: Path, raw: bytes, mode: int) -> None:
    with path.open("xb") as stream:
        stream.write(raw)
        os.fchmod(stream.fileno(), mode)
        stream.flush()
        os.fsync(stream.fileno())
