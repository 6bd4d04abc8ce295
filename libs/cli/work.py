"""Tasks."""

from typing import Annotated

import typer

from libs.cli.change import Seconds, follow
from libs.cli.context import Json, find_account, identifier, of
from libs.cli.exits import Exit, of_task
from libs.cli.listing import lists, noun
from libs.cli.show import SAID, TASK_HEADS, ago, task_lines, task_row
from libs.cli.things import Limit
from libs.wire.ids import Noun

tasks = noun("What was asked for, and what became of it.")

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="The task's identifier, tsk_…")]


@lists(tasks)
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
        screen.table(TASK_HEADS, map(task_row, found), "There is no such task.", spare=SAID)


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
