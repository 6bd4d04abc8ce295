"""The recovery key: it opens an export of the vault where no server is left, and can be replaced by another one."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.files import sync_folder, write
from deploy.admin.keys import private_pem, public_pem
from deploy.admin.vault_export import ExportedAccount, ExportedVersion, read_export
from libs.vault.open import Opener
from libs.wire.seal import CannotOpenError
from libs.wire.secret import Secret


@dataclass(frozen=True)
class Recovered:
    """One password, and what was known of it."""

    account: ExportedAccount
    version: ExportedVersion
    password: Secret


def create_recovery_key(keys: Path, file: Path) -> None:
    """Makes another recovery key: its private half in `file`, its public half where services read it at their start.

    Raises:
        AdminError: `file` is there, lies in the folder of keys, or cannot be written; then nothing is changed.
    """
    public = keys.absolute() / layout.PUBLIC / layout.RECOVERY_PUBLIC
    if not public.is_file():
        raise AdminError(f"{public} is not there: {keys} is no folder that init made")
    if file.resolve().is_relative_to(keys.resolve()):
        raise AdminError("the recovery key's file must lie outside of the folder of keys: it belongs offline")
    made = X25519PrivateKey.generate()
    aside = public.with_name(f".{public.name}.{secrets.token_hex(8)}")
    try:
        write(file, private_pem(made), layout.FILE_MODE)
        sync_folder(file.absolute().parent)
        write(aside, public_pem(made.public_key()), layout.PUBLIC_FILE_MODE)
        os.replace(aside, public)  # noqa: PTH105 - the same call that a reader of this protocol looks for
        sync_folder(public.parent)
    except FileExistsError as error:
        raise AdminError(f"{file} is there already; a recovery key overwrites nothing") from error
    except OSError as error:
        raise AdminError(f"{error.filename or file} cannot be written: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)


def open_export(export: Path, key: Path, wanted: str | None) -> Iterator[Recovered]:
    """Every password that may be live, newest first, of one account ("RESOURCE/NAME") or of all.

    Raises:
        AdminError: a file cannot be read, or there is no such account.
    """
    try:
        opener = Opener.load(key)
    except (OSError, ValueError, TypeError) as error:
        raise AdminError(f"{key} holds no recovery key") from error
    accounts = [each for each in read_export(export) if wanted in (None, f"{each.resource}/{each.name}", each.account)]
    if not accounts:
        raise AdminError(f"{export} holds no account {wanted!r}: it is named RESOURCE/NAME, such as dmz-web-01/root")
    return _opened(accounts, opener, key)


def _opened(accounts: list[ExportedAccount], opener: Opener, key: Path) -> Iterator[Recovered]:
    for account in accounts:
        for version in account.versions:
            if not version.may_be_live:
                continue
            try:
                password = opener.at_rest(version.sealed, account.account, version.generation)
            except CannotOpenError as error:
                where = f"{account.resource}/{account.name}, version {version.generation}"
                raise AdminError(f"{key} does not open {where}: {error}. An older recovery key may.") from error
            yield Recovered(account, version, password)
