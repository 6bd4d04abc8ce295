"""Signing in, and people."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from libs.cli import ask
from libs.cli.context import Context, Json, find_user, of
from libs.cli.listing import lists, noun
from libs.cli.show import ago
from libs.client import models
from libs.client.errors import NotSignedInError, WrongUseError
from libs.wire.secret import Secret

Stdin = Annotated[bool, typer.Option("--stdin", help="Read the password from standard input.")]
StdinCode = Annotated[
    bool,
    typer.Option(
        "--stdin", help="Read the password from standard input; on a line after it, the code, if you need one."
    ),
]
StdinBoth = Annotated[
    bool,
    typer.Option("--stdin", help="Read from standard input: the code on one line, unless in a file; the password."),
]

users = noun("People who may sign in.")

ROLES = ("administrator", "operator", "auditor", "user")


def set_up(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The sign-in name of the first administrator.")],
    code_file: Annotated[Path | None, typer.Option(help="The file with the first-run code.")] = None,
    stdin: StdinBoth = False,
    as_json: Json = False,
) -> None:
    """Make the first administrator, by the code that the gateway wrote at its first start."""
    call = of(context)
    if code_file is not None:
        try:
            code = code_file.read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise WrongUseError(f"{code_file} cannot be read as a set-up code") from error
        password = ask.new_password("New password", stdin=stdin)
    elif stdin:
        first, password = ask.piped(2)
        code, password = first.reveal().decode(), ask.checked(password)
    else:
        code = ask.secret("First-run code", stdin=False).reveal().decode()
        password = ask.new_password("New password", stdin=False)
    with call.client(signed_in=False) as client:
        signed_in = client.set_up(code, name, password)
    _keep(call, signed_in, f"{signed_in.user.name} is the first administrator and signed in.", as_json=as_json)


def login(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Your sign-in name.")] = None,
    stdin: StdinCode = False,
    access_token: Annotated[
        bool, typer.Option("--access-token", help="With an access token in the place of name and password.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sign in, and remember the server and the session."""
    call = of(context)
    if access_token:
        _keep_token(call, ask.secret("Access token", stdin=stdin), as_json=as_json)
        return
    if name is None and (stdin or not sys.stdin.isatty()):
        raise WrongUseError("There is nobody to ask for the name; give it: keyturn login NAME --stdin")
    with call.client(signed_in=False) as client:
        who = name or str(typer.prompt("Name"))
        password, code = ask.secret_and_code("Password", stdin=stdin)
        try:
            signed_in = client.sign_in(who, password, code)
        except NotSignedInError as error:
            if error.code != "code_needed" or stdin:
                raise
            signed_in = client.sign_in(who, password, ask.secret("Code of your second factor", stdin=False))
    until = f"{signed_in.expires_at:%Y-%m-%d %H:%M %Z}"
    _keep(call, signed_in, f"Signed in as {signed_in.user.name} until {until}.", as_json=as_json)


def _keep_token(call: Context, token: Secret, *, as_json: bool) -> None:
    """Remembers an access token, once the server has taken it."""
    plain = token.reveal().decode().strip()
    call.keep(plain)
    with call.client() as client:
        client.notifications(limit=1)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"access_token": True})
    else:
        screen.say("The server takes it; this profile goes on with it.")


def _keep(call: Context, signed_in: models.SignedIn, sentence: str, *, as_json: bool) -> None:
    """Remembers the session; the token goes to the profile and nowhere else."""
    call.keep(signed_in.token)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(models.Until(user=signed_in.user, expires_at=signed_in.expires_at))
    else:
        screen.say(sentence)


def logout(context: typer.Context, as_json: Json = False) -> None:
    """End the session."""
    call = of(context)
    with call.client() as client:
        client.sign_out()
    call.keep(None)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"signed_out": True})
    else:
        screen.say("Signed out.")


def whoami(context: typer.Context, as_json: Json = False) -> None:
    """Who is signed in, and until when."""
    call = of(context)
    with call.client() as client:
        session = client.who()
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(session)
    else:
        screen.say(f"{session.user.name} ({session.user.role}), until {session.expires_at:%Y-%m-%d %H:%M %Z}")


@lists(users)
def list_users(context: typer.Context, as_json: Json = False) -> None:
    """List people."""
    call = of(context)
    with call.client() as client:
        found = client.users()
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
    else:
        screen.table(
            ("name", "role", "since"),
            ([each.name, each.role + (", kept out" if each.disabled else ""), ago(each.created_at)] for each in found),
            "There is nobody yet.",
        )


@users.command("add")
def add_user(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The sign-in name.")],
    role: Annotated[str, typer.Option(help="administrator, operator, auditor or user.")] = "user",
    stdin: Stdin = False,
    as_json: Json = False,
) -> None:
    """Add a person; the password is asked for."""
    call = of(context)
    _role(role)
    password = ask.new_password(f"Password for {name}", stdin=stdin)
    with call.client() as client:
        added = client.add_user(name, password, role)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(added)
    else:
        screen.say(f"{added.name} may sign in as {added.role}.")


@users.command("change")
def change_user(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The sign-in name.")],
    role: Annotated[str | None, typer.Option(help="administrator, operator, auditor or user.")] = None,
    disabled: Annotated[bool | None, typer.Option("--keep-out/--let-in", help="Whether they may sign in.")] = None,
    as_json: Json = False,
) -> None:
    """Give a person another role, keep them out, or let them in again; their sessions end. For administrators."""
    if role is None and disabled is None:
        raise WrongUseError("Say what to change: --role ROLE, --keep-out or --let-in")
    if role is not None:
        _role(role)
    call = of(context)
    with call.client() as client:
        changed = client.change_user(find_user(client, name).id, role=role, disabled=disabled)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(changed)
    else:
        screen.say(
            f"{changed.name} is {changed.role}{' and kept out' if changed.disabled else ''}, signed out everywhere."
        )


@users.command("sign-out")
def sign_out_user(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The sign-in name.")],
    as_json: Json = False,
) -> None:
    """Sign a person out everywhere, as when their laptop is lost; their access tokens go on. For administrators."""
    call = of(context)
    with call.client() as client:
        client.sign_out_user(find_user(client, name).id)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"signed_out": name})
    else:
        screen.say(f"{name} is signed out everywhere. Access tokens go on: keyturn users change {name} --keep-out")


def _role(text: str) -> None:
    if text not in ROLES:
        raise WrongUseError(f"{text!r} is no role: administrator, operator, auditor or user")
