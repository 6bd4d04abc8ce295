"""Notices: what the folder of keys makes agents trust, as the next number, signed (`libs.wire.notice`).

Every notice stays in the file, because an agent that was off for months follows one after another. Nothing new is no
notice.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates
from pydantic import ValidationError

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.files import replace
from libs.wire.key_files import sealing_publics, signing_privates, signing_publics
from libs.wire.notice import Move, Notice, Notices, SignedNotice, read_notice, sign_notice, signers_of
from libs.wire.sign import BadSignatureError

FILE = "notices.json"
_NUMBERED = ("serial", "issued_at")


def read_notices(folder: Path) -> tuple[SignedNotice, ...]:
    """Every notice so far, the newest last.

    Raises:
        AdminError: the file cannot be read.
    """
    path = folder / layout.PUBLIC / FILE
    try:
        return Notices.model_validate_json(path.read_bytes()).notices
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise AdminError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise AdminError(f"{path} is damaged; put back a copy of it") from error


def newest(folder: Path) -> Notice | None:
    """The newest notice; None where there was none yet.

    Raises:
        AdminError: as `read_notices`.
    """
    notices = read_notices(folder)
    return Notice.model_validate_json(notices[-1].payload) if notices else None


def publish(folder: Path, *, now: int, moves: tuple[Move, ...] | None = None) -> int | None:
    """Makes the next notice, where the files say something else than the newest one; its serial.

    Args:
        folder: The folder of keys, with the scheduler's and the bundler's folders in it.
        now: Unix milliseconds.
        moves: The moves from now on; None leaves them as they were.

    Raises:
        AdminError: a key cannot be read, or agents would not take the notice.
    """
    before = newest(folder)
    if moves is None:
        moves = () if before is None else before.moves
    serial = now // 1000 if before is None else max(now // 1000, before.serial + 1)
    notice = Notice(serial=serial, issued_at=now, moves=moves, **_trusted(folder / layout.PUBLIC))
    if before is not None and _said(notice) == _said(before):
        return None
    signed = sign_notice(notice, (*_held(folder, "scheduler/task.key"), *_held(folder, "bundler/configuration.key")))
    if before is not None:
        _accepted(signed, before)
    kept = Notices(notices=(*read_notices(folder), signed))
    try:
        replace(folder / layout.PUBLIC / FILE, kept.to_bytes(), layout.PUBLIC_FILE_MODE)
    except OSError as error:
        raise AdminError(f"{folder / layout.PUBLIC / FILE} cannot be written: {error.strerror}") from error
    return serial


def made(serial: int | None) -> str:
    """What came of it, for an operator."""
    if serial is None:
        return "Agents were told already."
    return f"Notice {serial} is made; gateways have it within seconds, and agents within a minute of that."


def _trusted(public: Path) -> dict[str, tuple[bytes, ...]]:
    """What the public files say, in an order that means nothing."""
    release = public / layout.RELEASE
    return {
        "server_authorities": _sorted(_authorities(public)),
        "task_keys": _raw(public / "task.pem", signing_publics),
        "configuration_keys": _raw(public / "configuration.pem", signing_publics),
        "release_keys": _raw(release, signing_publics) if release.exists() else (),
        "vault_keys": _raw(public / "vault.pem", sealing_publics),
        "recovery_keys": _raw(public / layout.RECOVERY_PUBLIC, sealing_publics),
    }


def _authorities(public: Path) -> list[bytes]:
    """Our own, and those of a certificate that the operator brought."""
    paths = [public / "server-ca.pem", public / layout.OWN_AUTHORITIES]
    found: list[bytes] = []
    for path in paths if paths[1].exists() else paths[:1]:
        try:
            found += [each.public_bytes(Encoding.DER) for each in load_pem_x509_certificates(path.read_bytes())]
        except OSError as error:
            raise AdminError(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise AdminError(f"{path} holds no certificate in PEM") from error
    return found


def _raw(path: Path, read: Callable[[bytes], Sequence[Ed25519PublicKey | X25519PublicKey]]) -> tuple[bytes, ...]:
    try:
        return _sorted([each.public_bytes_raw() for each in read(path.read_bytes())])
    except OSError as error:
        raise AdminError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise AdminError(f"{path}: {error}") from error


def _held(folder: Path, name: str) -> tuple[Ed25519PrivateKey, ...]:
    path = folder / name
    try:
        return signing_privates(path.read_bytes())
    except OSError as error:
        raise AdminError(
            f"{path} cannot be read ({error.strerror}): a notice needs the scheduler's and the bundler's folders"
        ) from error
    except ValueError as error:
        raise AdminError(f"{path}: {error}") from error


def _accepted(signed: SignedNotice, before: Notice) -> None:
    """A notice that agents would refuse is never made: they could not be told anything any more."""
    try:
        read_notice(signed, signers_of(before))
    except BadSignatureError as error:
        raise AdminError(f"agents that follow notice {before.serial} would not take this one: {error}") from error


def _said(notice: Notice) -> dict[str, Any]:
    return notice.model_dump(exclude=set(_NUMBERED))


def _sorted(keys: list[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(set(keys)))
