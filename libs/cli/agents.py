"""Agents: who calls in, and ending one."""

from typing import Annotated

import typer

from libs.cli.context import Json, find_resource, identifier, of
from libs.cli.errors import NoSuchNameError
from libs.cli.show import ago
from libs.cli.things import Limit
from libs.client import models
from libs.client.client import Client
from libs.client.errors import WrongUseError
from libs.wire.ids import Noun

agents = typer.Typer(invoke_without_command=True, help="Agents: who calls in, and when last.")


@agents.callback()
def list_agents(context: typer.Context, limit: Limit = 200, as_json: Json = False) -> None:
    """List agents, or do something with one."""
    if context.invoked_subcommand is not None:
        return
    call = of(context)
    with call.client() as client:
        found = client.agents(limit)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    rows = (
        [each.resource.name, each.state, each.version, ago(each.last_seen), _clock(each.clock_skew_seconds), each.id]
        for each in found
    )
    screen.table(
        ("machine", "state", "version", "last contact", "its clock", "identifier"), rows, "No agent has enrolled yet."
    )
    for each in found:
        if each.upgrade is not None:
            screen.say(f"{each.resource.name}, {each.upgrade.release}: {each.upgrade.happened} {each.upgrade.next}")
        if each.said and each.state == "active":
            screen.say(_said(each))


@agents.command("revoke")
def revoke_agent(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Its machine's name, or its identifier, agt_…")],
    reason: Annotated[str, typer.Option(help="Why, for the record; the machine's administrator reads it too.")],
    as_json: Json = False,
) -> None:
    """End an agent: nothing of it counts any more, and its machine can only enrol anew. For administrators."""
    call = of(context)
    with call.client() as client:
        revoked = client.revoke_agent(_agent(client, agent), reason)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(revoked)
        return
    screen.say(
        f"The agent of {revoked.resource.name} is revoked. The vault keeps every password of the machine.",
        f"To manage it again: keyturn packages build linux --user-name YOU --for-resource {revoked.resource.name}",
    )


@agents.command("choose")
def choose_machine(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Its machine's name, or its identifier, agt_…")],
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="The first letters of the right machine's run.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    as_json: Json = False,
) -> None:
    """Of two machines that use one identity, choose the right one; without RUN, show both. For administrators."""
    call = of(context)
    with call.client() as client:
        key = _agent(client, agent)
        found = next((each for each in client.agents(10_000) if each.id == key), None)
        machines = () if found is None else found.machines
        if run is not None and machines:
            if reason is None:
                raise WrongUseError("Say why, for the record: --reason")
            fits = [each for each in machines if each.run.startswith(run)]
            if len(fits) != 1:
                raise WrongUseError(f"{len(fits)} of the machines have a run that begins with {run}")
            found = client.choose_machine(key, fits[0].run, reason)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data([] if found is None else [found])
    elif run is not None and machines:
        screen.say(f"{fits[0].host_name} gets other keys at its next contact; then the other machine is out.")
    else:
        rows = (
            [
                each.run[:8],
                f"{each.host_name} (chosen)" if each.chosen else each.host_name,
                each.address,
                str(each.starts),
                ago(each.since),
                ago(each.last_seen),
            ]
            for each in machines
        )
        heads = ("run", "calls itself", "address", "starts", "since", "last contact")
        screen.table(heads, rows, "This agent is on one machine; there is nothing to choose.")


def _agent(client: Client, name: str) -> str:
    """An agent by its identifier, or by the name of its machine."""
    if name.startswith(f"{Noun.AGENT}_"):
        return identifier(Noun.AGENT, name)
    resource = find_resource(client, name)
    if resource.agent is None:
        raise NoSuchNameError(f"{resource.name} has no agent. See: keyturn agents")
    return resource.agent.id


def _said(agent: models.Agent) -> str:
    """The newest of what went wrong on its machine, as the agent told, and what to do."""
    newest = agent.said[0]
    return (
        f"{agent.resource.name} said {ago(newest.last_at)}: {newest.code}: {newest.sentence} {newest.remedy}".rstrip()
    )


def _clock(skew: int | None) -> str:
    """How a machine's clock stands to the server's."""
    if skew is None:
        return ""
    if skew == 0:
        return "right"
    size = abs(skew)
    unit, length = next((each for each in (("d", 86_400), ("h", 3_600), ("min", 60)) if size >= each[1]), ("s", 1))
    return f"{size / length:.3g} {unit} {'ahead' if skew > 0 else 'behind'}"
