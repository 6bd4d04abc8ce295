"""Tasks and packages."""

from pathlib import Path
from typing import Annotated

import typer

from libs.cli.change import Seconds, follow
from libs.cli.context import Json, find_account, identifier, of
from libs.cli.exits import Exit, of_task
from libs.cli.show import ago, task_lines, task_row
from libs.cli.things import Limit
from libs.client.errors import WrongUseError
from libs.wire.ids import Noun
from libs.wire.requests import Platform

tasks = typer.Typer(no_args_is_help=True, help="What was asked for, and what became of it.")
packages = typer.Typer(no_args_is_help=True, help="Zips that install an agent.")

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="The task's identifier, tsk_…")]


@tasks.command("list")
def list_tasks(
    context: typer.Context,
    everybodys: Annotated[
        bool, typer.Option("--all", help="Everybody's, not yours alone; who is no administrator adds --account.")
    ] = False,
    account: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Only about this account.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state, such as queued.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List tasks, newest first."""
    call = of(context)
    with call.client() as client:
        about = find_account(client, account).id if account else None
        found = client.tasks(limit, mine=not everybodys, account=about, state=state)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
    else:
        screen.table(("what", "where", "state", "asked", "", "task"), map(task_row, found), "There is no such task.")


@tasks.command("show")
def show_task(
    context: typer.Context,
    task: TaskName,
    wait_seconds: Seconds = 0.0,
    as_json: Json = False,
) -> None:
    """Show a task; the exit status says what became of it."""
    call = of(context)
    screen = call.screen(as_json=as_json)
    with call.client() as client:
        found = client.task(identifier(Noun.TASK, task))
        if wait_seconds and found.open:
            found = follow(client, found, wait_seconds, screen)
    if as_json:
        screen.data(found)
    else:
        screen.say(f"{found.kind} of {found.resource.name}/{found.account.name}, asked {ago(found.requested_at)}")
        screen.say(*task_lines(found))
    raise typer.Exit(of_task(found))


@tasks.command("cancel")
def cancel_task(context: typer.Context, task: TaskName, wait_seconds: Seconds = 10.0, as_json: Json = False) -> None:
    """Take a task back while no agent has it."""
    call = of(context)
    screen = call.screen(as_json=as_json)
    with call.client() as client:
        ended = follow(client, client.cancel(identifier(Noun.TASK, task)), wait_seconds, screen)
    if as_json:
        screen.data(ended)
    else:
        screen.say(*task_lines(ended))
    if ended.state != "cancelled":
        raise typer.Exit(of_task(ended) or Exit.NOT_DONE)


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
        built = client.build_package(
            kind,
            user_name,
            target,
            server_name=server_name,
            server_port=server_port,
            schedule_interval=schedule_interval,
            uses=uses,
            lifetime_seconds=round(hours * 3_600) if hours is not None else None,
        )
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data({"id": built.id, "path": str(built.path), "sha256": built.sha256, "size": built.size})
        return
    screen.say(f"{built.path}  {built.size / 1e6:.1f} MB", f"SHA-256  {built.sha256}", "On the machine, as root:")
    screen.say(f"  unzip {built.path.name} -d keyturn-agent && cd keyturn-agent")
    screen.say("  sh installAgent-service.sh install && sh installAgent-service.sh start")


@packages.command("list")
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
