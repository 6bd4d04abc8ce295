"""The command `keyturn-server`: what an operator does beside the running services.

Exit status: 0 done, 1 not done (one sentence on standard error says why), 2 wrong use.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.admin import layout
from deploy.admin.check import check
from deploy.admin.errors import AdminError
from deploy.admin.init import init
from deploy.admin.move_command import add_move, add_own_authority
from deploy.admin.recovery_key import create_recovery_key, open_export
from deploy.admin.release import trust_release
from deploy.admin.restored import begin_epoch
from deploy.admin.roll_command import add_roll
from deploy.admin.runtime_command import add_runtime_commands
from deploy.admin.store_setup import set_up_store
from deploy.admin.vault_export import export_vault
from libs.domain.errors import KeyturnError

DEFAULT_RELEASE = Path("build/release/release.pem")

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Operate a Keyturn system.", rich_markup_mode=None)
vault_app = typer.Typer(no_args_is_help=True, help="A copy of the vault, sealed.")
recovery_app = typer.Typer(no_args_is_help=True, help="The key that opens the vault's copy where no server is left.")
app.add_typer(vault_app, name="vault")
app.add_typer(recovery_app, name="recovery-key")

add_runtime_commands(app)
add_roll(app)
add_move(app)
add_own_authority(app)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of keys.")]
Keys = Annotated[Path, typer.Option(help="The folder of keys that init made.")]
Private = Annotated[Path | None, typer.Option(help="The administrator's folder; KEYS/admin unless given.")]
StoreUrl = Annotated[str, typer.Option(help="mongodb://HOST:PORT/ without credentials.")]


@app.command(name="init")
def init_command(
    folder: Folder,
    recovery: Annotated[Path, typer.Option(help="The file for the recovery key, which belongs offline.")],
    release: Annotated[
        Path | None, typer.Option(help="The release's public key; build/release/release.pem unless given.")
    ] = None,
) -> None:
    """Make all first keys of a system. Overwrites nothing, and leaves nothing half-made."""
    found = release or (DEFAULT_RELEASE if DEFAULT_RELEASE.is_file() else None)
    init(folder, recovery, found, now=time.time_ns() // 1_000_000)
    print(f"Made the keys of a new system in {folder}.")
    print(f"The recovery key is {recovery}: take it offline. Whoever has it reads every password.")
    if found is None:
        print(
            f"There is no {DEFAULT_RELEASE}, so no release is trusted and no package can be built yet:"
            f" name its public key with `keyturn-server trust-release {folder} PEM`."
        )


@app.command(name="trust-release")
def trust_release_command(
    folder: Folder, release: Annotated[Path, typer.Argument(metavar="PEM", help="The release's public key.")]
) -> None:
    """Trust the runtimes of a release, where init was given none."""
    trust_release(folder, release)
    print(f"Runtimes signed by {release} are trusted.")


@app.command(name="check")
def check_command(folder: Folder) -> None:
    """See whether the files, their modes and the pairs of keys are as init made them."""
    wrong = check(folder)
    if wrong:
        raise AdminError("\n".join(wrong))
    print(f"{folder} is as it should be.")


@app.command(name="store-setup")
def store_setup_command(keys: Keys, store_url: StoreUrl, private: Private = None) -> None:
    """Make collections, indexes and the services' users. May be repeated."""
    asyncio.run(set_up_store(store_url, private=private or keys / layout.ADMIN, keys=keys))
    print("The store is ready: collections, indexes, and a user for each service.")


@app.command(name="restored")
def restored_command(keys: Keys, store_url: StoreUrl, private: Private = None) -> None:
    """Say that the store was put back to an earlier copy: every account is compared before its next change."""
    epoch = asyncio.run(begin_epoch(store_url, private=private or keys / layout.ADMIN))
    print(f"Epoch {epoch} has begun. The scheduler has every account compared, and takes back from the agents what the")
    print("vault no longer knows. See how far it is with: keyturn accounts list RESOURCE")


@vault_app.command(name="export")
def vault_export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The export to write; not there yet.")],
    keys: Keys,
    store_url: StoreUrl,
    private: Private = None,
) -> None:
    """Write every password version, sealed as it lies in the vault, for the recovery key to open."""
    count = asyncio.run(export_vault(file, store_url, private=private or keys / layout.ADMIN))
    print(f"{file} holds {count} accounts, sealed. The recovery key alone opens it: keyturn-server recovery-key open")


@recovery_app.command(name="create")
def recovery_create_command(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file for the new key, which belongs offline.")],
) -> None:
    """Make another recovery key for what is sealed from now on."""
    create_recovery_key(folder, file)
    print(
        f"The new recovery key is {file}: take it offline. Restart scheduler and gateways, which read its public half."
    )
    print("What was sealed before opens with the old key alone: keep both.")


@recovery_app.command(name="open")
def recovery_open_command(
    export: Annotated[Path, typer.Argument(metavar="EXPORT", help="What `vault export` wrote.")],
    key: Annotated[Path, typer.Option(help="The recovery key's file.")],
    account: Annotated[str | None, typer.Option(help="RESOURCE/NAME; every account unless given.")] = None,
) -> None:
    """Show every password of an export that may be live, newest first. Needs no server and no network."""
    for each in open_export(export, key, account):
        known = "proven" if each.version.generation == each.account.proven else each.version.state
        text = each.password.reveal().decode("utf-8", "backslashreplace")
        shown = text if text.isprintable() else ascii(text)
        print(f"{each.account.resource}/{each.account.name}\t{each.version.generation}\t{known}\t{shown}")


def main() -> None:
    """The entry point."""
    try:
        app()
    except KeyturnError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
