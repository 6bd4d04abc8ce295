"""What owners share: a machine, or one of its accounts, with a person or a group."""

from typing import Annotated

import typer

from libs.cli.context import Json, find_account, find_resource, identifier, of
from libs.cli.show import ago
from libs.client import models
from libs.client.client import Client
from libs.client.errors import WrongUseError
from libs.wire.ids import Noun

shares = typer.Typer(no_args_is_help=True, help="What is shared with whom.")

Where = Annotated[
    str, typer.Argument(metavar="WHAT", help="A machine, such as dmz-web-01, or one account: dmz-web-01/root.")
]
_LEVELS = ("see", "use", "manage")


@shares.command("list")
def list_shares(context: typer.Context, what: Where, as_json: Json = False) -> None:
    """List what is shared of a machine or an account; for who manages it."""
    call = of(context)
    with call.client() as client:
        found = client.shares(**_place(client, what))
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    rows = ([_what(each), each.kind, each.subject.name, each.level, ago(each.created_at), each.id] for each in found)
    screen.table(("what", "with", "name", "level", "since", "share"), rows, "Nothing of it is shared.")


@shares.command("add")
def add_share(
    context: typer.Context,
    what: Where,
    level: Annotated[str, typer.Option(help="see, use or manage; each has all that the one before has.")],
    person: Annotated[str | None, typer.Option(metavar="USER", help="With this person.")] = None,
    group: Annotated[str | None, typer.Option(metavar="GROUP", help="With everybody in this group.")] = None,
    as_json: Json = False,
) -> None:
    """Share a machine or an account; a share that is there gets the new level."""
    if level not in _LEVELS:
        raise WrongUseError(f"{level!r} is no level: see, use or manage")
    if (person is None) == (group is None):
        raise WrongUseError("Say with whom: --person USER or --group GROUP, one of the two")
    call = of(context)
    with call.client() as client:
        made = client.share(level, **_place(client, what), person=person, group=group)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(made)
    else:
        whom = made.subject.name if made.kind == "person" else f"everybody in {made.subject.name}"
        screen.say(f"{_what(made)}: {whom} may {made.level} it. ({made.id})")


@shares.command("remove")
def remove_share(
    context: typer.Context,
    share: Annotated[str, typer.Argument(metavar="SHARE", help="Its identifier, shr_…")],
    as_json: Json = False,
) -> None:
    """End a share; it counts from the next request on."""
    call = of(context)
    with call.client() as client:
        client.end_share(identifier(Noun.SHARE, share))
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"removed": share})
    else:
        screen.say("It is not shared any more.")


def _place(client: Client, what: str) -> dict[str, str]:
    if "/" in what or what.startswith(f"{Noun.ACCOUNT}_"):
        return {"account": find_account(client, what).id}
    return {"resource": find_resource(client, what).id}


def _what(share: models.Share) -> str:
    return share.resource.name if share.account is None else f"{share.resource.name}/{share.account.name}"
