"""Looking at things: resources, accounts, notifications, the server."""

from typing import Annotated

import typer
from rich.text import Text

from libs.cli.context import Json, find_account, find_resource, of
from libs.cli.listing import lists, noun
from libs.cli.show import SAID, TASK_HEADS, ago, count, status, task_row

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]

resources = noun("Managed machines.")
accounts = typer.Typer(no_args_is_help=True, help="Log-ins on machines.")


@lists(resources)
def list_resources(context: typer.Context, limit: Limit = 200, as_json: Json = False) -> None:
    """List the machines that you may see."""
    call = of(context)
    with call.client() as client:
        found = client.resources(limit)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    rows = (
        [each.name, each.platform, each.owner.name, ago(each.agent.last_seen) if each.agent else "no agent", each.id]
        for each in found
    )
    screen.table(
        ("name", "kind", "owner", "last contact", "identifier"),
        rows,
        "No machine is here yet. Build a package and install it there: keyturn packages build linux --user-name YOU",
    )


@resources.command("show")
def show_resource(
    context: typer.Context, resource: Annotated[str, typer.Argument(help="Name or identifier.")], as_json: Json = False
) -> None:
    """Show one machine."""
    call = of(context)
    with call.client() as client:
        found = find_resource(client, resource)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    screen.say(f"{found.name}: {found.platform}, under {found.owner.name}, added {ago(found.created_at)}.")
    if found.agent is None:
        screen.say("It has no agent.")
    else:
        agent = found.agent
        screen.say(f"Agent {agent.id}, version {agent.version}, {agent.state}, last contact {ago(agent.last_seen)}.")


@resources.command("hand-over")
def hand_over(
    context: typer.Context,
    resource: Annotated[str, typer.Argument(help="Name or identifier.")],
    to: Annotated[str, typer.Option(metavar="USER", help="The new owner's sign-in name.")],
    as_json: Json = False,
) -> None:
    """Give a machine to another owner; for its owner and administrators."""
    call = of(context)
    with call.client() as client:
        found = client.hand_over(find_resource(client, resource).id, to)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
    else:
        screen.say(f"{found.name} is under {found.owner.name} now.")


@resources.command("discover")
def discover(
    context: typer.Context, resource: Annotated[str, typer.Argument(help="Name or identifier.")], as_json: Json = False
) -> None:
    """Have the agent of a machine look at its accounts again. It also does by itself when they change."""
    call = of(context)
    with call.client() as client:
        found = client.discover(find_resource(client, resource).id)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    screen.say(f"The agent of {found.name} looks at its next contact. See: keyturn accounts list {found.name}")


@accounts.command("list")
def list_accounts(
    context: typer.Context, resource: Annotated[str, typer.Argument(help="Name or identifier.")], as_json: Json = False
) -> None:
    """List the accounts of a machine."""
    call = of(context)
    with call.client() as client:
        where = find_resource(client, resource)
        found = client.accounts(where.id)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    rows: list[list[str | Text]] = [
        [each.name, status(each.status), ", ".join(kind.replace("_", " ") for kind in each.kinds), each.sentence]
        for each in found
    ]
    screen.table(("account", "state", "kind", "what is known"), rows, f"{where.name} has told of no account yet.")


@accounts.command("show")
def show_account(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="RESOURCE/NAME or identifier.")],
    as_json: Json = False,
) -> None:
    """Show one account: its state, the proof, every password that may be live."""
    call = of(context)
    with call.client() as client:
        found = client.account(find_account(client, account).id)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    screen.console.print(status(found.status), f" {found.resource.name}/{found.name}")
    screen.say(*(found.sentences or (found.sentence,)))
    rows = (
        [each.generation, "yes" if each.candidate else "", each.known, ago(each.created_at), ago(each.proven_at)]
        for each in found.versions
    )
    screen.table(
        ("version", "may be live", "what is known of it", "made", "proven"), rows, "The vault holds no password of it."
    )


def notifications(context: typer.Context, as_json: Json = False) -> None:
    """What you have triggered, and what still waits for its agent."""
    call = of(context)
    with call.client() as client:
        found = client.notifications()
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    asked = f"{count(found.resets, 'reset', 'resets')}, {count(found.verifies, 'verify', 'verifies')}"
    screen.say(f"{asked}; {count(found.waiting, 'waits for its agent', 'wait for their agents')}.")
    screen.table(TASK_HEADS, map(task_row, found.items), "You have asked for nothing yet.", spare=SAID)


def about(context: typer.Context, as_json: Json = False) -> None:
    """What server this is."""
    call = of(context)
    with call.client(signed_in=False) as client:
        found = client.about()
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
    else:
        screen.say(f"{found.name} {found.version}; its clock says {found.server_time:%Y-%m-%d %H:%M:%S %Z}.")
        if found.setup_needed:
            screen.say("It has no user yet: keyturn setup NAME --code-file FILE")
