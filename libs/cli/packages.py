"""Packages, and what the token in each still admits."""

from pathlib import Path
from typing import Annotated

import typer

from libs.cli.context import Json, find_resource, identifier, of
from libs.cli.listing import lists, noun
from libs.cli.show import ago
from libs.cli.things import Limit
from libs.client import models
from libs.client.client import Bounds
from libs.client.errors import WrongUseError
from libs.wire.ids import Noun
from libs.wire.requests import Platform

packages = noun("Zips that install an agent.")


@packages.command("build")
def build_package(
    context: typer.Context,
    platform: Annotated[str, typer.Argument(help="linux, windows or windows-domain.")],
    user_name: Annotated[str, typer.Option(help="Under whom the machine is added.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The zip to write.")] = None,
    server_name: Annotated[str | None, typer.Option(help="How agents reach this server.")] = None,
    server_port: Annotated[int | None, typer.Option(min=1, max=65_535)] = None,
    schedule_interval: Annotated[int | None, typer.Option(min=5, max=86_400, help="Seconds.")] = None,
    uses: Annotated[int | None, typer.Option(min=1, max=10_000, help="How many machines may enrol by it.")] = None,
    hours: Annotated[float | None, typer.Option(min=0.02, max=8_760, help="How long it may be used to enrol.")] = None,
    also_for: Annotated[
        list[str] | None, typer.Option(metavar="USER", help="A further user that agent.conf may name; may be repeated.")
    ] = None,
    host_pattern: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="What the machine must call itself, such as 'dmz-*'.")
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(metavar="CIDR", help="Where the server must see it, such as 10.20.0.0/16; may be repeated."),
    ] = None,
    approval: Annotated[
        bool, typer.Option("--approval", help="Each enrolment waits: keyturn enrolments approve.")
    ] = False,
    for_resource: Annotated[
        str | None,
        typer.Option(metavar="RESOURCE", help="The machine is this known one; its new agent waits for an approval."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Build a package and download it."""
    call = of(context)
    try:
        kind = Platform(platform)
    except ValueError:
        raise WrongUseError(f"{platform!r} is no platform: linux, windows or windows-domain") from None
    target = output or Path(f"keyturn-agent-{kind}.zip")
    with call.client() as client:
        known = None if for_resource is None else find_resource(client, for_resource).id
        built = client.build_package(
            kind,
            user_name,
            target,
            server_name=server_name,
            server_port=server_port,
            schedule_interval=schedule_interval,
            bounds=Bounds(
                uses=uses,
                lifetime_seconds=round(hours * 3_600) if hours is not None else None,
                user_names=tuple(also_for) if also_for else None,
                host_pattern=host_pattern,
                networks=tuple(network) if network else None,
                approval=approval or None,
                for_resource=known,
            ),
        )
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"id": built.id, "path": str(built.path), "sha256": built.sha256, "size": built.size})
        return
    screen.say(f"{built.path}  {built.size / 1e6:.1f} MB", f"SHA-256  {built.sha256}", "On the machine, as root:")
    screen.say(f"  unzip {built.path.name} -d keyturn-agent && cd keyturn-agent")
    screen.say("  sh installAgent-service.sh install && sh installAgent-service.sh start")
    if approval or known is not None:
        screen.say("The machine waits until somebody lets it in: keyturn enrolments list")


@lists(packages)
def list_packages(context: typer.Context, limit: Limit = 50, as_json: Json = False) -> None:
    """List packages, newest first."""
    call = of(context)
    with call.client() as client:
        found = client.packages(limit)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    rows = (
        [each.platform, each.user_name, f"{each.uses_left} of {each.uses}", ago(each.created_at), each.sha256[:16]]
        for each in found
    )
    screen.table(("kind", "under", "uses left", "made", "SHA-256 begins"), rows, "No package was built yet.")


@packages.command("tokens")
def list_tokens(context: typer.Context, limit: Limit = 50, as_json: Json = False) -> None:
    """List what the packages still admit, newest first."""
    call = of(context)
    with call.client() as client:
        found = client.tokens(limit)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    if not found:
        screen.say("No package was built yet.")
    for each in found:
        left = f"{each.uses_left} of {each.uses} uses left"
        screen.say(f"{each.id}  {each.state}  {left}, under {', '.join(each.user_names)}", f"  {_bounds(each)}")


@packages.command("revoke")
def revoke_token(
    context: typer.Context,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its identifier, tok_…: keyturn packages tokens")],
    as_json: Json = False,
) -> None:
    """End a package's token; agents that enrolled by it stay."""
    call = of(context)
    with call.client() as client:
        revoked = client.revoke_token(identifier(Noun.TOKEN, token))
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(revoked)
    else:
        screen.say(f"{revoked.id} admits nobody any more. Agents that enrolled by it stay.")


def _bounds(token: models.Token) -> str:
    """What a token demands beside its user name."""
    found = [f"named {token.host_pattern}"] if token.host_pattern else []
    found += [f"in {', '.join(token.networks)}"] if token.networks else []
    found += ["after an approval"] if token.approval else []
    found += [f"as {token.for_resource}"] if token.for_resource else []
    found.append(f"until {token.expires_at:%Y-%m-%d %H:%M} UTC")
    return ", ".join(found)
