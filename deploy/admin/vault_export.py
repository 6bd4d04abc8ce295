"""A copy of every password version as it lies in the vault, sealed: what the recovery key opens without any server.

    {"format": "keyturn/vault/1", "at": ..., "accounts": 2}
    {"account": "acc_...", "resource": "dmz-web-01", "name": "root", "status": "in_sync", ..., "versions": [...]}

One line of JSON an account, and a first line that counts them, so that a file that was cut is noticed.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.admin.errors import AdminError
from deploy.admin.files import sync_folder, write
from deploy.admin.layout import FILE_MODE, STORE_PASSWORD
from deploy.admin.store_setup import read_password
from libs.domain.accounts import Account
from libs.domain.versions import may_be_live
from libs.store.accounts import Accounts
from libs.store.mongo.store import open_store
from libs.store.ports import Store
from libs.store.resources import Resources
from libs.store.schema import ADMINISTRATOR
from libs.wire.seal import Sealed

FORMAT = "keyturn/vault/1"
_PAGE = 200


@dataclass(frozen=True)
class ExportedVersion:
    """One password, sealed to the vault and the recovery key."""

    generation: str
    state: str
    created_at: int
    proven_at: int | None
    may_be_live: bool
    sealed: Sealed


@dataclass(frozen=True)
class ExportedAccount:
    """One account, its versions newest first."""

    account: str
    resource: str
    name: str
    uid: int
    status: str
    proven: str | None  # the generation that was last compared live
    versions: tuple[ExportedVersion, ...]


async def export_vault(file: Path, url: str, *, private: Path) -> int:
    """Writes the export; how many accounts it holds.

    Args:
        file: Not there yet.
        url: `mongodb://HOST:PORT/`, without credentials.
        private: The administrator's folder.

    Raises:
        AdminError: the file is there, or cannot be written.
        StoreError: as `libs.store.errors` lists.
    """
    store = open_store(url, ADMINISTRATOR, read_password(private / STORE_PASSWORD))
    try:
        lines = [json.dumps(line, ensure_ascii=True) async for line in _accounts(store)]
    finally:
        await store.close()
    head = json.dumps({"format": FORMAT, "at": time.time_ns() // 1_000_000, "accounts": len(lines)})
    await asyncio.to_thread(_write, file, [head, *lines])
    return len(lines)


def _write(file: Path, lines: list[str]) -> None:
    try:
        write(file, "".join(f"{line}\n" for line in lines).encode(), FILE_MODE)
        sync_folder(file.absolute().parent)
    except FileExistsError as error:
        raise AdminError(f"{file} is there already; an export overwrites nothing") from error
    except OSError as error:
        file.unlink(missing_ok=True)
        raise AdminError(f"{file} cannot be written: {error.strerror}") from error


async def _accounts(store: Store) -> AsyncIterator[dict[str, Any]]:
    resources, accounts, after = Resources(store), Accounts(store), None
    while page := await resources.page(now=2**53, limit=_PAGE, after=after):
        for resource in page:
            last = None
            while found := await accounts.of_resource_after(resource.id, limit=_PAGE, after=last):
                for account in found:
                    if account.rotation.versions:
                        yield _line(account, resource.name)
                last = (found[-1].name, found[-1].id)
        after = (page[-1].created_at, page[-1].id)


def _line(account: Account, resource: str) -> dict[str, Any]:
    r = account.rotation
    live = {version.generation for version in may_be_live(r)}
    return {
        "account": account.id,
        "resource": resource,
        "name": account.name,
        "uid": account.uid,
        "status": r.status.value,
        "proven": None if r.proof is None else str(r.proof.generation),
        "versions": [
            {
                "generation": str(version.generation),
                "state": version.state.value,
                "created_at": version.created_at,
                "proven_at": version.proven_at,
                "may_be_live": version.generation in live,
                "sealed": None if version.sealed is None else version.sealed.model_dump(mode="json"),
            }
            for version in r.versions
        ],
    }


def read_export(file: Path) -> list[ExportedAccount]:
    """Every account of an export.

    Raises:
        AdminError: it cannot be read, is no export, or was cut.
    """
    try:
        head, *lines = file.read_text("utf-8").splitlines()
        told = json.loads(head)
        if told["format"] != FORMAT:
            raise AdminError(
                f"{file} is an export of another format: {told['format']!r}; this version reads {FORMAT!r}"
            )
        accounts = list(_parsed(lines))
    except OSError as error:
        raise AdminError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise AdminError(f"{file} is no export of a vault, or was damaged") from error
    if len(accounts) != told["accounts"]:
        raise AdminError(f"{file} was cut: it names {told['accounts']} accounts and holds {len(accounts)}")
    return accounts


def _parsed(lines: list[str]) -> Iterator[ExportedAccount]:
    for line in lines:
        found = json.loads(line)
        versions = tuple(
            ExportedVersion(**{**each, "sealed": Sealed.model_validate(each["sealed"])}) for each in found["versions"]
        )
        yield ExportedAccount(**{**found, "versions": versions})
