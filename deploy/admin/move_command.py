"""`keyturn-server move` and `own-authority`: where agents find the server, and whose certificate it may show them."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.admin import layout
from deploy.admin.errors import AdminError
from deploy.admin.followers import followers
from deploy.admin.moves import astray, move, move_back, parse, shown
from deploy.admin.notices import made
from deploy.admin.own_authority import distrust_authority, trust_authority
from deploy.admin.roll_command import Keys, Private, Store

Old = Annotated[str, typer.Argument(metavar="[OLD]", help="NAME:PORT as agents have it in agent.conf.")]
New = Annotated[str, typer.Argument(metavar="[NEW]", help="NAME:PORT where the server is from now on.")]
Back = Annotated[bool, typer.Option("--back", help="Have them go back to OLD.")]
Authority = Annotated[Path, typer.Argument(metavar="PEM", help="A file of the authority's certificate.")]


def add_move(app: typer.Typer) -> None:
    """Adds the command."""

    @app.command(name="move")
    def command(
        keys: Keys,
        old: Old = "",
        new: New = "",
        *,
        back: Back = False,
        store_url: Store = None,
        private: Private = None,
    ) -> None:
        """Have agents find the server at another place. Without OLD and NEW: where they are."""
        if old and back == bool(new):
            raise AdminError("name OLD and NEW to move, or OLD and --back")
        if old and back:
            print(made(move_back(keys, parse(old), now=_now())))
        elif old:
            print(made(move(keys, parse(old), parse(new), now=_now())))
            print("A gateway must answer there, with that name in KEYTURN_NAMES. The way back: --back.")
        print(*shown(keys), sep="\n")
        if store_url is not None:
            print(*astray(asyncio.run(followers(store_url, private=private or keys / layout.ADMIN))), sep="\n")


def add_own_authority(app: typer.Typer) -> None:
    """Adds the commands."""
    own = typer.Typer(no_args_is_help=True, help="The authority of your own certificate for the gateway.")
    app.add_typer(own, name="own-authority")

    @own.command(name="trust")
    def trust(file: Authority, keys: Keys) -> None:
        """Have agents trust servers whose certificate is of this authority, beside our own."""
        print(made(trust_authority(keys, file, now=_now())))
        print("When agents follow, give the gateways KEYTURN_TLS_CERTIFICATE and KEYTURN_TLS_KEY, and restart them.")

    @own.command(name="distrust")
    def distrust(file: Authority, keys: Keys) -> None:
        """Have agents trust it no more. Take its certificate from the gateways first."""
        print(made(distrust_authority(keys, file, now=_now())))


def _now() -> int:
    return time.time_ns() // 1_000_000
