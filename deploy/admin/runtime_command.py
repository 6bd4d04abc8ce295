"""`keyturn-server runtime`: which programs packages begin with, and agents are offered."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.admin import layout
from deploy.admin.runtimes import add_runtime, list_runtimes, withdraw_runtime

Keys = Annotated[Path, typer.Option(help="The folder of keys that init made.")]
Private = Annotated[Path | None, typer.Option(help="The administrator's folder; KEYS/admin unless given.")]
StoreUrl = Annotated[str, typer.Option(help="mongodb://HOST:PORT/ without credentials.")]

_runtime = typer.Typer(no_args_is_help=True, help="The agent's programs, built once per release and platform.")


def add_runtime_commands(app: typer.Typer) -> None:
    """Puts them below `keyturn-server`."""
    app.add_typer(_runtime, name="runtime")


@_runtime.command(name="add")
def add_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The runtime's zip, with its signed list in it.")],
    keys: Keys,
    store_url: StoreUrl,
    private: Private = None,
    packages_only: Annotated[bool, typer.Option(help="Offer it to no installed agent.")] = False,
) -> None:
    """Publish a runtime, once its release's signature was checked: packages begin with it, and older agents are offered
    it. The same one again changes nothing, but that it is offered again where it had been taken back.
    """
    where = private or keys / layout.ADMIN
    print(asyncio.run(add_runtime(file, store_url, private=where, keys=keys, offer=not packages_only)))


@_runtime.command(name="list")
def list_command(keys: Keys, store_url: StoreUrl, private: Private = None) -> None:
    """Show the runtimes: hash, platform, release, when it was added, and for whom it is."""
    lines = asyncio.run(list_runtimes(store_url, private=private or keys / layout.ADMIN))
    print("\n".join(lines) or "No runtime was added yet.")


@_runtime.command(name="withdraw")
def withdraw_command(
    name: Annotated[str, typer.Argument(metavar="HASH", help="Its hash, or the first letters of it.")],
    keys: Keys,
    store_url: StoreUrl,
    private: Private = None,
) -> None:
    """Take a runtime back: no package begins with it, and no further agent takes it."""
    print(asyncio.run(withdraw_runtime(name, store_url, private=private or keys / layout.ADMIN)))
