"""Groups of people, with whom owners share."""

from typing import Annotated

import typer

from libs.cli.context import Json, identifier, of, only
from libs.cli.listing import lists, noun
from libs.cli.show import ago
from libs.cli.things import Limit
from libs.client import models
from libs.client.client import Client
from libs.wire.ids import Noun

groups = noun("Groups of people, with whom owners share.")

GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="Its name, or its identifier, grp_…")]
UserName = Annotated[str, typer.Argument(metavar="USER", help="The sign-in name.")]


@lists(groups)
def list_groups(context: typer.Context, limit: Limit = 200, as_json: Json = False) -> None:
    """List groups: all of them for administrators and auditors, else those that you are in."""
    call = of(context)
    with call.client() as client:
        found = client.groups(limit)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
    else:
        rows = ([each.name, ago(each.created_at), each.id] for each in found)
        screen.table(("name", "since", "identifier"), rows, "There is no group, or you are in none.")


@groups.command("show")
def show_group(context: typer.Context, group: GroupName, as_json: Json = False) -> None:
    """Show who is in a group."""
    call = of(context)
    with call.client() as client:
        found = client.members(find_group(client, group).id)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
    else:
        screen.table(("name", "since"), ([each.name, ago(each.since)] for each in found), "Nobody is in it yet.")


@groups.command("add")
def add_group(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits, dot, underscore, dash.")],
    as_json: Json = False,
) -> None:
    """Make a group; for administrators."""
    call = of(context)
    with call.client() as client:
        added = client.add_group(name)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(added)
    else:
        screen.say(f"{added.name} is a group; put people in: keyturn groups join {added.name} USER")


@groups.command("join")
def join(context: typer.Context, group: GroupName, user: UserName, as_json: Json = False) -> None:
    """Put a person into a group; for administrators."""
    call = of(context)
    with call.client() as client:
        member = client.join(find_group(client, group).id, user)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(member)
    else:
        screen.say(f"{member.name} is in {group}.")


@groups.command("leave")
def leave(context: typer.Context, group: GroupName, user: UserName, as_json: Json = False) -> None:
    """Take a person out of a group; for administrators."""
    call = of(context)
    with call.client() as client:
        found = find_group(client, group)
        members = [each for each in client.members(found.id) if each.name == user]
        member = only(members, f"member of {found.name} named {user}", f"keyturn groups show {found.name}")
        client.leave(found.id, member.id)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"left": member.name})
    else:
        screen.say(f"{member.name} is not in {found.name} any more.")


@groups.command("remove")
def remove(context: typer.Context, group: GroupName, as_json: Json = False) -> None:
    """End a group, and with it what was shared with it; for administrators."""
    call = of(context)
    with call.client() as client:
        found = find_group(client, group)
        client.remove_group(found.id)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"removed": found.name})
    else:
        screen.say(f"{found.name} is no more, and nothing is shared with it.")


def find_group(client: Client, name: str) -> models.Group:
    """A group by its identifier or its name.

    Raises:
        NoSuchNameError: there is none.
    """
    by_id = name.startswith(f"{Noun.GROUP}_")
    key = identifier(Noun.GROUP, name) if by_id else name
    found = [each for each in client.groups(10_000) if key == (each.id if by_id else each.name)]
    return only(found, f"group {name}", "keyturn groups")
