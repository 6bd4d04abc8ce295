"""`keyturn`: the command, put together. Its exit statuses stand in `exits`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer

from libs.cli import (
    access_tokens,
    agents,
    audit,
    change,
    enrolments,
    exits,
    factors,
    groups,
    incidents,
    packages,
    people,
    sessions,
    shares,
    things,
    work,
)
from libs.cli.context import Context
from libs.cli.exits import of_error
from libs.cli.profile import Profiles
from libs.client.errors import ClientError, RefusedError
from libs.wire.seal import CannotOpenError


def command(seam: httpx.BaseTransport | None = None) -> typer.Typer:
    """The command; `seam` is another way to the server than its socket, for tests."""
    made = typer.Typer(
        no_args_is_help=True,
        add_completion=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Reset and prove privileged passwords on machines that nobody can reach.\n\n\b\n"
        + _paragraphs(exits.__doc__ or ""),
    )

    @made.callback()
    def begin(
        context: typer.Context,
        server: Annotated[str | None, typer.Option(help="https://HOST:7272; kept by login.")] = None,
        ca: Annotated[Path | None, typer.Option(help="The server's authority, server-ca.pem; kept by login.")] = None,
        profile: Annotated[str, typer.Option(help="Which server and session, where there are several.")] = "default",
    ) -> None:
        context.obj = Context(Profiles(), profile, server, ca, seam)

    for name, act in (
        ("setup", people.set_up),
        ("login", people.login),
        ("logout", people.logout),
        ("whoami", people.whoami),
        ("confirm", sessions.confirm),
        ("password", sessions.change_password),
        ("reset", change.reset),
        ("verify", change.verify),
        ("adopt", change.adopt),
        ("reveal", change.reveal),
        ("notifications", things.notifications),
        ("about", things.about),
    ):
        made.command(name)(act)
    for name, group in (
        ("users", people.users),
        ("second-factor", factors.second_factor),
        ("sessions", sessions.sessions),
        ("access-tokens", access_tokens.access_tokens),
        ("groups", groups.groups),
        ("shares", shares.shares),
        ("resources", things.resources),
        ("accounts", things.accounts),
        ("tasks", work.tasks),
        ("packages", packages.packages),
        ("enrolments", enrolments.enrolments),
        ("agents", agents.agents),
        ("incidents", incidents.incidents),
        ("audit", audit.audit),
    ):
        made.add_typer(group, name=name)
    return made


_HINTS = {"not_signed_in": " Sign in: keyturn login", "confirm_first": " Say it: keyturn confirm --stdin"}
"""The command that comes next, by the server's code."""


def _paragraphs(text: str) -> str:
    """A docstring whose lines the help keeps as they are: each paragraph is marked so."""
    lines = [line.removeprefix("    ") for line in text.strip().splitlines()]
    return "\n".join(lines).replace("\n\n", "\n\n\b\n")


def main(arguments: Sequence[str] | None = None, seam: httpx.BaseTransport | None = None) -> None:
    """The entry point: one line for whatever goes wrong, and the status that scripts know."""
    try:
        command(seam)(args=None if arguments is None else list(arguments), prog_name="keyturn")
    except ClientError as error:
        hint = _HINTS.get(error.code, "") if isinstance(error, RefusedError) else ""
        print(f"keyturn: {error}{hint}", file=sys.stderr)
        sys.exit(of_error(error))
    except CannotOpenError as error:
        print(f"keyturn: the answer is not sealed to this command's key: {error}", file=sys.stderr)
        sys.exit(exits.Exit.WRONG)
