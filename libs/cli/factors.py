"""The second factor: a code from a phone at each sign-in."""

from typing import Annotated

import typer

from libs.cli import ask
from libs.cli.context import Json, find_user, of
from libs.cli.listing import noun
from libs.cli.show import ago
from libs.client.errors import WrongUseError

second_factor = noun("A code from your phone at each sign-in, so that your password alone is not enough.")

Stdin = Annotated[
    bool, typer.Option("--stdin", help="Read the password from standard input, and the code from a line after it.")
]


@second_factor.callback()
def show(context: typer.Context, as_json: Json = False) -> None:
    """A code from your phone at each sign-in, so that your password alone is not enough."""
    if context.invoked_subcommand is not None:
        return
    call = of(context)
    with call.client() as client:
        found = client.second_factor()
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
    elif found.on:
        screen.say(f"On since {ago(found.since)}; {found.recovery_left} recovery codes are left.")
    else:
        wanted = " This server wants everybody to have one." if found.required else ""
        screen.say(f"You have none.{wanted} Begin: keyturn second-factor begin")


@second_factor.command("begin")
def begin(context: typer.Context, stdin: Stdin = False, as_json: Json = False) -> None:
    """Begin one, or another in its place: a secret for your app, which counts once you confirmed it."""
    call = of(context)
    password, code = ask.secret_and_code("Your password", stdin=stdin)
    with call.client() as client:
        if code is None and not stdin and client.second_factor().on:
            code = ask.secret("Code of the one you have", stdin=False)
        begun = client.begin_second_factor(password, code)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(begun)
    else:
        screen.say(
            "Type this into an app for one-time codes, or open the address on the phone:",
            f"  {begun.secret}",
            f"  {begun.address}",
            "Then: keyturn second-factor confirm",
        )


@second_factor.command("confirm")
def confirm(
    context: typer.Context,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the code from standard input.")] = False,
    as_json: Json = False,
) -> None:
    """Confirm it by its first code; your recovery codes are shown, once."""
    call = of(context)
    code = ask.secret("Code", stdin=stdin)
    with call.client() as client:
        codes = client.confirm_second_factor(code)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"recovery_codes": codes})
    else:
        screen.say("It is on. Each of these signs you in once, when your phone is lost; they are never shown again:")
        screen.say(*(f"  {each}" for each in codes))


@second_factor.command("end")
def end(
    context: typer.Context,
    user: Annotated[
        str | None, typer.Option(metavar="USER", help="Another's, who lost phone and codes; for administrators.")
    ] = None,
    stdin: Stdin = False,
    as_json: Json = False,
) -> None:
    """End your second factor, or that of somebody who lost it."""
    call = of(context)
    with call.client() as client:
        if user is None:
            password, code = ask.secret_and_code("Your password", stdin=stdin)
            if code is None and stdin:
                raise WrongUseError("Standard input has the password alone; give the code on a line after it.")
            client.end_second_factor(password, code or ask.secret("Code", stdin=False))
        else:
            client.take_second_factor(find_user(client, user).id)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"ended": True})
    else:
        screen.say("It is ended.")
