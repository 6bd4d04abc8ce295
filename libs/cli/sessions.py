"""Where you are signed in, ending that, and another password of your own."""

import re
from typing import Annotated

import typer

from libs.cli import ask
from libs.cli.context import Json, of
from libs.cli.listing import lists, noun
from libs.cli.show import ago
from libs.client import models
from libs.client.errors import WrongUseError

sessions = noun("Where you are signed in.")


@lists(sessions)
def list_sessions(context: typer.Context, as_json: Json = False) -> None:
    """List where you are signed in, this session first."""
    call = of(context)
    with call.client() as client:
        found = client.sessions()
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    rows = (
        [each.via + (" (this one)" if each.here else ""), each.address, ago(each.created_at), each.id] for each in found
    )
    screen.table(("by", "from", "since", "identifier"), rows, "You are signed in nowhere.")


@sessions.command("end")
def end(
    context: typer.Context,
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Its identifier, as the list shows it.")],
    as_json: Json = False,
) -> None:
    """Sign out somewhere else."""
    if re.fullmatch(r"[0-9a-f]{20}", session) is None:
        raise WrongUseError(
            f"{session!r} is no identifier of a session: 20 digits and letters a to f; keyturn sessions"
        )
    call = of(context)
    with call.client() as client:
        client.end_session(session)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"ended": session})
    else:
        screen.say("That session is over.")


def confirm(
    context: typer.Context,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read your password from standard input; on a line after it, the code.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say again who you are: for five minutes this session may reveal, and change who may do what."""
    call = of(context)
    with call.client() as client:
        if stdin:
            client.confirm(*ask.secret_and_code("Your password", stdin=True))
        else:
            ask.again(client.confirm)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"confirmed": True})
    else:
        screen.say("For five minutes you are not asked again.")


def change_password(
    context: typer.Context,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read from standard input, a line each: the old one, the new one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Change your own password, with which you sign in here; it signs you out everywhere else."""
    call = of(context)
    with call.client() as client:
        code = None
        if client.second_factor().on:
            code = ask.secret("Code of your second factor", stdin=False)
        if stdin:
            own, new = ask.piped(2)
        else:
            own = ask.secret("The password that you have now", stdin=False)
            new = ask.new_password("The new one", stdin=False)
        signed_in = client.change_password(own, new, code)
    call.keep(signed_in.token)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(models.Until(user=signed_in.user, expires_at=signed_in.expires_at))
    else:
        screen.say("Your password is changed; you are signed out everywhere else.")
