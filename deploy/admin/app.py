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
from deploy.admin.release import trust_release
from deploy.admin.runtimes import add_runtime
from deploy.admin.store_setup import set_up_store
from libs.domain.errors import KeyturnError

DEFAULT_RELEASE = Path("build/release/release.pem")

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Operate a Keyturn system.", rich_markup_mode=None)
runtime_app = typer.Typer(no_args_is_help=True, help="The agent's programs, built once per release and platform.")
app.add_typer(runtime_app, name="runtime")

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


@runtime_app.command(name="add")
def runtime_add_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The runtime's zip, with its signed list in it.")],
    keys: Keys,
    store_url: StoreUrl,
    private: Private = None,
) -> None:
    """Publish a runtime, once its release's signature was checked. The same one again changes nothing."""
    added = asyncio.run(add_runtime(file, store_url, private=private or keys / layout.ADMIN, keys=keys))
    print(added)


def main() -> None:
    """The entry point."""
    try:
        app()
    except KeyturnError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
