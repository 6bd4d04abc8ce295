"""Machines that wait for a person."""

from typing import Annotated

import typer

from libs.cli.context import Context, Json, identifier, of
from libs.cli.listing import lists, noun
from libs.cli.things import Limit
from libs.wire.ids import Noun

enrolments = noun("Machines that wait until somebody lets them in.")

EnrolmentName = Annotated[str, typer.Argument(metavar="ENROLMENT", help="Its identifier, enr_…")]


@lists(enrolments)
def list_enrolments(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that were decided as well.")] = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the machines that wait, newest first."""
    call = of(context)
    with call.client() as client:
        found = client.enrolments(limit, state=None if everything else "waiting")
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    if not found:
        screen.say("No machine waits.")
    for each in found:
        screen.say(f"{each.id}  {each.state}  (its key begins {each.key[:16]})", f"  {each.sentence}")


@enrolments.command("approve")
def approve(context: typer.Context, enrolment: EnrolmentName, as_json: Json = False) -> None:
    """Let a machine in; it comes when it asks again, within a minute."""
    _settle(of(context), enrolment, approve=True, as_json=as_json)


@enrolments.command("deny")
def deny(context: typer.Context, enrolment: EnrolmentName, as_json: Json = False) -> None:
    """Keep a machine out; its package may be used by another one."""
    _settle(of(context), enrolment, approve=False, as_json=as_json)


def _settle(call: Context, enrolment: str, *, approve: bool, as_json: bool) -> None:
    with call.client() as client:
        settled = client.settle(identifier(Noun.ENROLMENT, enrolment), approve=approve)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(settled)
    else:
        screen.say(f"{settled.host_name}: {settled.sentence}")
