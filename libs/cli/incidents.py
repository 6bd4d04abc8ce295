"""Incidents: what may be an attack, until somebody has looked at it."""

from typing import Annotated

import typer

from libs.cli.context import Json, identifier, of
from libs.cli.show import ago
from libs.cli.things import Limit
from libs.client import models
from libs.wire.ids import Noun

incidents = typer.Typer(invoke_without_command=True, help="What may be an attack, and what to do about it.")


@incidents.callback()
def list_incidents(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that somebody closed as well.")] = False,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """List the incidents that nobody has closed, newest first, or close one."""
    if context.invoked_subcommand is not None:
        return
    call = of(context)
    with call.client() as client:
        found = [each for each in client.incidents(limit) if everything or each.closed is None]
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    if not found:
        screen.say("Nothing has happened that you should look at.")
    for each in found:
        screen.say(*_lines(each))


@incidents.command("close")
def close_incident(
    context: typer.Context,
    incident: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its identifier, inc_…")],
    reason: Annotated[str, typer.Option(help="What it was, and what was done about it.")],
    as_json: Json = False,
) -> None:
    """Close an incident; it stays on record, with who closed it and why."""
    call = of(context)
    with call.client() as client:
        closed = client.close_incident(identifier(Noun.INCIDENT, incident), reason)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(closed)
    else:
        screen.say(*_lines(closed))


def _lines(incident: models.Incident) -> list[str]:
    named = (("package", incident.package), ("token", incident.token), ("agent", incident.agent))
    about = ", ".join(f"{what} {key}" for what, key in named if key)
    closed = incident.closed
    last = incident.next if closed is None else f"Closed by {closed.by.name} {ago(closed.at)}: {closed.reason}"
    return [
        f"{incident.at:%Y-%m-%d %H:%M:%S} UTC, {ago(incident.at)}  {incident.kind}  ({about})",
        f"  {incident.id}",
        f"  {incident.sentence}",
        f"  {last}",
    ]
