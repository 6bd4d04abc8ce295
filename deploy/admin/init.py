"""All first keys of a system, made at once or not at all.

The folder is built beside its place and renamed into it; the recovery key's file is linked into its place just before,
so that no system ever begins without a recovery key that somebody holds. A run that was ended between the two leaves
that one file, and the next run says so.

The release's private key is not a system's: releases are signed offline, and `init` takes the public half alone.
"""

import json
import os
import secrets
import shutil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.files import Write, make_folder, sync_folder
from deploy.admin.files import write as write_file
from deploy.admin.keys import load_release, make_pair, private_pem, public_pem
from libs.broker.topology import definitions


def init(folder: Path, recovery: Path, release: Path | None, *, now: int, write: Write = write_file) -> None:
    """Makes `folder` with every key of a new system, and the recovery key in `recovery`.

    Args:
        folder: Not there yet, or empty.
        recovery: The file for the recovery key's private half, outside of `folder`; not there yet.
        release: The release's public key; None leaves it out, and no package can be built until it is there.
        now: Unix milliseconds.
        write: Writes one file; a test makes it fail.

    Raises:
        AdminError: something is there already, or cannot be written.
    """
    folder, recovery = folder.absolute(), recovery.absolute()
    _refuse_what_is_there(folder, recovery)
    released = None if release is None else public_pem(load_release(release))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = folder.parent / f".{folder.name}.{secrets.token_hex(8)}"
        make_folder(aside, layout.PUBLIC_FOLDER_MODE)
        try:
            recovery_private = _fill(aside, released, write, now=now)
            _keep_recovery(recovery, recovery_private, write)
            _put_in_place(aside, folder, recovery)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise AdminError(f"{error.filename or folder}: {error.strerror}; nothing was made") from error


def _refuse_what_is_there(folder: Path, recovery: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AdminError(f"{folder} is there already; init overwrites nothing")
    if recovery.exists():
        raise AdminError(f"{recovery} is there already; init overwrites nothing")
    if recovery.resolve().is_relative_to(folder.resolve()):
        raise AdminError("the recovery key's file must lie outside of the folder of keys: it belongs offline")
    if not recovery.parent.is_dir():
        raise AdminError(f"{recovery.parent} is not there; make it first, where the recovery key shall lie")


def _fill(aside: Path, release: bytes | None, write: Write, *, now: int) -> bytes:
    """Every file of the new folder; returns the recovery key's private half."""
    make_folder(aside / layout.PUBLIC, layout.PUBLIC_FOLDER_MODE)
    for name in layout.PRIVATE_FILES:
        make_folder(aside / name, layout.FOLDER_MODE)
    for pair in layout.PAIRS:
        private, public = make_pair(pair.kind, pair.public, now=now)
        write(aside / pair.folder / pair.private, private, layout.FILE_MODE)
        write(aside / layout.PUBLIC / pair.public, public, layout.PUBLIC_FILE_MODE)
    recovery = X25519PrivateKey.generate()
    write(aside / layout.PUBLIC / layout.RECOVERY_PUBLIC, public_pem(recovery.public_key()), layout.PUBLIC_FILE_MODE)
    if release is not None:
        write(aside / layout.PUBLIC / layout.RELEASE, release, layout.PUBLIC_FILE_MODE)
    _fill_secrets(aside, write)
    for place in (aside, *(each for each in aside.iterdir() if each.is_dir())):
        sync_folder(place)
    return private_pem(recovery)


def _fill_secrets(aside: Path, write: Write) -> None:
    write(aside / "gateway" / layout.SESSION_SECRET, secrets.token_hex(32).encode() + b"\n", layout.FILE_MODE)
    broker_passwords: dict[str, str] = {}
    for user in (*layout.SERVICES, layout.ADMIN):
        # Without a line's end: some readers of password files take every byte.
        broker_passwords[user] = secrets.token_urlsafe(32)
        write(aside / user / layout.BROKER_PASSWORD, broker_passwords[user].encode(), layout.FILE_MODE)
        write(aside / user / layout.STORE_PASSWORD, secrets.token_urlsafe(32).encode(), layout.FILE_MODE)
    text = json.dumps(definitions(broker_passwords), indent=2, sort_keys=True) + "\n"
    write(aside / layout.BROKER / layout.DEFINITIONS, text.encode(), layout.FILE_MODE)


def _keep_recovery(recovery: Path, private: bytes, write: Write) -> None:
    """The whole file at once: written beside its place, then linked into it, which overwrites nothing."""
    part = recovery.parent / f".{recovery.name}.{secrets.token_hex(8)}"
    try:
        write(part, private, layout.FILE_MODE)
        os.link(part, recovery)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(recovery.parent)


def _put_in_place(aside: Path, folder: Path, recovery: Path) -> None:
    try:
        aside.rename(folder)
    except OSError:
        recovery.unlink()
        raise
    sync_folder(folder.parent)
