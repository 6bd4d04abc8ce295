"""What every command starts from: the profile, a client, and the way to find an account by its name."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeVar

import httpx
import typer

from libs.cli import ask
from libs.cli.errors import NoSuchNameError, SignedOutError
from libs.cli.profile import Profiles
from libs.cli.show import Screen
from libs.client import models
from libs.client.client import Client
from libs.client.errors import WrongUseError
from libs.wire.ids import Noun

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@dataclass
class Context:
    """One call of the command."""

    profiles: Profiles
    profile: str
    server: str | None = None
    authority: Path | None = None
    seam: httpx.BaseTransport | None = None

    def screen(self, *, as_json: bool) -> Screen:
        return Screen(as_json=as_json)

    def client(self, *, signed_in: bool = True) -> Client:
        """A client of the profile's server.

        Raises:
            WrongUseError: no server is known, or its address or authority cannot be used.
            SignedOutError: nobody is signed in.
        """
        known = self.profiles.load(self.profile)
        server = self.server or known.server
        if server is None:
            raise WrongUseError("No server is known yet: keyturn login --server https://HOST:7272 --ca server-ca.pem")
        if signed_in and known.token is None:
            raise SignedOutError("You are not signed in: keyturn login")
        authority = self.authority or (Path(known.authority) if known.authority else None)
        return Client(
            server,
            authority=authority,
            token=known.token if signed_in else None,
            again=ask.again if ask.somebody() else None,
            seam=self.seam,
        )

    def keep(self, token: str | None) -> None:
        """Remembers server, authority and session for the next call."""
        known = self.profiles.load(self.profile)
        authority = str(self.authority.resolve()) if self.authority else known.authority
        kept = replace(known, server=self.server or known.server, authority=authority, token=token)
        self.profiles.save(self.profile, kept)


def of(context: typer.Context) -> Context:
    """The call's context."""
    found = context.obj
    if not isinstance(found, Context):
        raise TypeError("the command was not begun by its callback")
    return found


def identifier(noun: Noun, text: str) -> str:
    """An identifier that a person gave.

    Raises:
        WrongUseError: it is none of this noun.
    """
    if re.fullmatch(rf"{noun}_[a-z2-7]{{26}}", text) is None:
        raise WrongUseError(f"{text!r} is no identifier of a {noun.name.lower()}: {noun}_ and 26 letters and digits")
    return text


def find_resource(client: Client, name: str) -> models.Resource:
    """A resource by its identifier or its name.

    Raises:
        NoSuchNameError: there is none.
        WrongUseError: several have this name.
    """
    if name.startswith(f"{Noun.RESOURCE}_"):
        return client.resource(identifier(Noun.RESOURCE, name))
    found = [each for each in client.resources(limit=10_000) if each.name == name]
    return only(found, f"resource named {name}", "keyturn resources")


def find_user(client: Client, name: str) -> models.User:
    """A person by their sign-in name.

    Raises:
        NoSuchNameError: there is none.
    """
    return only([each for each in client.users(10_000) if each.name == name], f"user named {name}", "keyturn users")


def find_account(client: Client, name: str) -> models.Account:
    """An account by its identifier, or as RESOURCE/NAME.

    Raises:
        NoSuchNameError: there is none.
        WrongUseError: several fit, or this names no account.
    """
    if name.startswith(f"{Noun.ACCOUNT}_"):
        return client.account(identifier(Noun.ACCOUNT, name))
    resource, slash, account = name.partition("/")
    if not slash or not account:
        raise WrongUseError(f"{name!r} names no account: give RESOURCE/NAME, such as dmz-web-01/root, or acc_…")
    where = find_resource(client, resource)
    found = [each for each in client.accounts(where.id) if each.name == account]
    return only(found, f"account {account} on {where.name}", f"keyturn accounts list {where.name}")


def only(found: list[T], what: str, where: str) -> T:
    """The one that was found; `where` is the command that shows which there are.

    Raises:
        NoSuchNameError: none was.
        WrongUseError: several were.
    """
    if not found:
        raise NoSuchNameError(f"There is no {what}, or it is not yours to see. See: {where}")
    if len(found) > 1:
        raise WrongUseError(f"There are {len(found)} of the {what}; name one by its identifier. See: {where}")
    return found[0]
