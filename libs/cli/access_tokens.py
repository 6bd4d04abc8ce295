"""Access tokens: what programs sign in with in your name."""

from typing import Annotated

import typer

from libs.cli import ask
from libs.cli.context import Json, identifier, of
from libs.cli.listing import lists, noun
from libs.cli.show import ago
from libs.client.errors import WrongUseError
from libs.wire.ids import Noun

access_tokens = noun("What your programs sign in with.")

SCOPES = ("see", "use", "manage", "reveal", "administer")


@lists(access_tokens)
def list_tokens(context: typer.Context, as_json: Json = False) -> None:
    """List your access tokens that have not ended."""
    call = of(context)
    with call.client() as client:
        found = client.access_tokens()
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    rows = (
        [each.name, ", ".join(each.scopes), f"{each.expires_at:%Y-%m-%d}", ago(each.last_used_at), each.id]
        for each in found
    )
    screen.table(("name", "may", "ends", "last used", "identifier"), rows, "You have no access token.")


@access_tokens.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help="see, use, manage, reveal or administer; may be repeated.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is good.")] = 30,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read your password from standard input; on a line after it, the code.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make one; it is shown once. It does what you may do and its scopes name."""
    wrong = [each for each in scope if each not in SCOPES]
    if wrong:
        raise WrongUseError(f"{wrong[0]!r} is no scope: see, use, manage, reveal or administer")
    call = of(context)
    password, code = ask.secret_and_code("Your password", stdin=stdin)
    with call.client() as client:
        if code is None and not stdin and client.second_factor().on:
            code = ask.secret("Code of your second factor", stdin=False)
        made = client.make_access_token(name, scope, days, password, code)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(made)
    else:
        screen.say(
            made.token,
            f"It ends {made.expires_at:%Y-%m-%d}, and is never shown again. ({made.id})",
            "A program takes it: keyturn --profile NAME login --access-token",
        )


@access_tokens.command("end")
def end(
    context: typer.Context,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its identifier, act_…")],
    as_json: Json = False,
) -> None:
    """End one, from the next request on."""
    call = of(context)
    with call.client() as client:
        client.end_access_token(identifier(Noun.ACCESS_TOKEN, token))
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"ended": token})
    else:
        screen.say("It is good for nothing any more.")
