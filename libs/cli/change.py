"""Changing, verifying and revealing passwords, and waiting for what becomes of it."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from libs.cli import ask
from libs.cli.context import Context, Json, find_account, of
from libs.cli.exits import Exit, of_task
from libs.cli.progress import Progress
from libs.cli.show import Screen, ago, task_lines
from libs.client import models
from libs.client.client import Client
from libs.client.errors import ClientError, WrongUseError
from libs.wire.reasons import VERSIONS
from libs.wire.requests import Policy

AccountName = Annotated[str, typer.Argument(metavar="ACCOUNT", help="RESOURCE/NAME, such as dmz-web-01/root.")]
Note = Annotated[str, typer.Option(help="Why, for the record.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the agent's answer.")]
Seconds = Annotated[float, typer.Option("--wait-seconds", min=0, max=86_400, help="How long to wait at most.")]

_ALPHABETS = ("keyboard-safe", "letters-digits", "full")


def reset(
    context: typer.Context,
    account: AccountName,
    generate: Annotated[bool, typer.Option("--generate", help="Let Keyturn generate the password.")] = False,
    length: Annotated[
        int | None, typer.Option(min=12, max=128, help="Of a generated password.", show_default="24")
    ] = None,
    alphabet: Annotated[
        str | None, typer.Option(help="keyboard-safe, letters-digits or full.", show_default="keyboard-safe")
    ] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the password from standard input.")] = False,
    unlock: Annotated[bool, typer.Option("--unlock", help="Also unlock a locked account.")] = False,
    note: Note = "",
    wait: Wait = True,
    wait_seconds: Seconds = 60.0,
    as_json: Json = False,
) -> None:
    """Change a password: to one that you type, or to a generated one."""
    call = of(context)
    if generate and stdin:
        raise WrongUseError("Give a password on standard input, or let one be generated, not both.")
    if not generate and (length is not None or alphabet is not None):
        raise WrongUseError("--length and --alphabet are of a generated password: add --generate")
    if alphabet not in (None, *_ALPHABETS):
        raise WrongUseError(f"{alphabet!r} is no alphabet: {', '.join(_ALPHABETS)}")
    with call.client() as client:
        found = find_account(client, account)
        if generate:
            given = {"length": length, "alphabet": alphabet}
            policy = Policy.model_validate({name: value for name, value in given.items() if value is not None})
            asked = client.reset(found.id, policy=policy, unlock=unlock, note=note)
        else:
            password = ask.new_password(f"New password for {account}", stdin=stdin)
            asked = client.reset(found.id, password=password, unlock=unlock, note=note)
        _follow(call, client, asked, seconds=wait_seconds if wait else None, as_json=as_json)


def verify(
    context: typer.Context,
    account: AccountName,
    note: Note = "",
    wait: Wait = True,
    wait_seconds: Seconds = 60.0,
    as_json: Json = False,
) -> None:
    """Check that the stored password is the one that opens the account. Nobody is logged in."""
    call = of(context)
    with call.client() as client:
        asked = client.verify(find_account(client, account).id, note=note)
        _follow(call, client, asked, seconds=wait_seconds if wait else None, as_json=as_json)


def adopt(
    context: typer.Context,
    account: AccountName,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the password from standard input.")] = False,
    note: Note = "",
    wait: Wait = True,
    wait_seconds: Seconds = 60.0,
    as_json: Json = False,
) -> None:
    """State the password that an account has: the agent compares it, and nothing on the host is changed."""
    call = of(context)
    with call.client() as client:
        found = find_account(client, account)
        password = ask.secret(f"The password that {account} has now", stdin=stdin)
        asked = client.adopt(found.id, password, note=note)
        _follow(call, client, asked, seconds=wait_seconds if wait else None, as_json=as_json)


def reveal(
    context: typer.Context,
    account: AccountName,
    reason: Annotated[str, typer.Option(help="Why you need it; it stands in the audit.")],
    as_json: Json = False,
) -> None:
    """Show every password that may be live, newest first, sealed to a key that this command makes."""
    call = of(context)
    with call.client() as client:
        found = find_account(client, account)
        if not as_json:
            ask.leave_to_show()
        candidates = client.reveal(found.id, reason)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(
            {
                "account": found.id,
                "passwords": [
                    {
                        "password": each.password.reveal().decode("utf-8", "surrogateescape"),
                        **each.version.model_dump(mode="json", exclude={"sealed"}),
                    }
                    for each in candidates
                ],
            }
        )
        return
    if len(candidates) > 1:
        screen.say(f"{len(candidates)} passwords may be live, newest first:")
    for n, each in enumerate(candidates, 1):
        version = each.version
        proven = (
            f"proven {ago(_moment(version.proven_at))}"
            if version.proven_at
            else f"never proven: {VERSIONS.get(version.state, version.state)}"
        )
        text = each.password.reveal().decode("utf-8", "backslashreplace")
        shown = text if text.isprintable() else ascii(text)
        print(f"{n}. {shown}", flush=True)
        screen.say(f"   version {version.generation}, {proven}")
        if shown != text:
            screen.say("   It has characters that no screen shows; between the quotes they stand as escapes.")


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


def follow(client: Client, task: models.Task, seconds: float, screen: Screen) -> models.Task:
    """The task as it goes, step by step on standard error, and as it ended."""
    with Progress(quiet=screen.as_json) as progress:
        return client.wait(task.id, seconds, progress.told)


def _follow(call: Context, client: Client, asked: models.Asked, *, seconds: float | None, as_json: bool) -> None:
    screen = call.screen(as_json=as_json)
    if not as_json:
        screen.say(*asked.warnings)
    later = f"It goes on by itself. See it with: keyturn tasks show {asked.task.id}"
    try:
        task = asked.task if seconds is None else follow(client, asked.task, seconds, screen)
    except KeyboardInterrupt:
        print(later, file=sys.stderr)
        raise typer.Exit(Exit.NOT_KNOWN) from None
    except ClientError:
        print(later, file=sys.stderr)
        raise
    if as_json:
        screen.data(task)
    else:
        screen.say(*task_lines(task))
        if task.open:
            screen.say(later)
    raise typer.Exit(Exit.DONE if seconds is None else of_task(task))
