"""What was done: looking at it, taking it out as a file, and checking such a file without any server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.cli.context import Json, find_account, identifier, of
from libs.cli.exits import Exit
from libs.cli.show import count
from libs.cli.things import Limit
from libs.client.errors import WrongUseError
from libs.wire.chain import Chain, chains
from libs.wire.ids import Noun

audit = typer.Typer(help="What was done; for administrators.", invoke_without_command=True)

_FORMATS = ("jsonl", "csv")


@audit.callback()
def show(
    context: typer.Context,
    account: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Only about this account.")] = None,
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Only about this task.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """What was done, newest first; for administrators."""
    if context.invoked_subcommand is not None:
        return
    call = of(context)
    with call.client() as client:
        about = find_account(client, account).id if account else None
        found = client.audit(limit, account=about, task=identifier(Noun.TASK, task) if task else None)
    screen = call.screen(as_json=as_json)
    if as_json:
        screen.data(found)
        return
    rows = (
        [f"{each.at:%Y-%m-%d %H:%M:%S}", each.who.name if each.who else "", each.what, each.outcome, each.reason or ""]
        for each in found
    )
    screen.table(("when (UTC)", "who", "what", "outcome", "why"), rows, "Nothing was recorded yet.")


@audit.command("export")
def export(
    context: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    form: Annotated[
        str, typer.Option("--format", help="jsonl, which verify checks; or csv, safe for spreadsheets.")
    ] = "jsonl",
    account: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Only about this account.")] = None,
) -> None:
    """Write all records to a file, oldest first."""
    if form not in _FORMATS:
        raise WrongUseError(f"{form!r} is no format: jsonl or csv")
    call = of(context)
    with call.client() as client:
        about = find_account(client, account).id if account else None
        size = client.export_audit(output, form, account=about)
    call.screen(as_json=False).say(f"{output}  {size} bytes")


@audit.command("verify")
def verify(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What keyturn audit export wrote, as jsonl.")],
    as_json: Json = False,
) -> None:
    """Check an export without a server: that no record was changed, and none put between two others.

    Keep the last line's number and hash: a later export must still have that record.
    """
    try:
        found = chains(_lines(file))
    except ValueError as error:
        raise WrongUseError(f"{file} is no audit export as jsonl: {error}") from error
    screen = of(context).screen(as_json=as_json)
    told = {service: _told(chain) for service, chain in sorted(found.items())}
    if as_json:
        screen.data(told)
    else:
        for service, chain in sorted(found.items()):
            end = f"  the last is {chain.end.seq}: {chain.end.hash}"
            screen.say(_sentence(service, chain), end, *(f"  {each}" for each in told[service]["faults"]))
        if not found:
            screen.say("The file holds no record.")
    if any(each["faults"] for each in told.values()):
        raise typer.Exit(Exit.WRONG)


def _told(chain: Chain) -> dict[str, Any]:
    return {
        "records": len(chain.links),
        "missing": chain.gaps,
        "last": chain.end.seq,
        "hash": chain.end.hash,
        "faults": list(chain.check()),
    }


def _sentence(service: str, chain: Chain) -> str:
    """One service's chain, in words."""
    missing = f", {chain.gaps} between them are not in this file" if chain.gaps else ""
    records = count(len(chain.links), "record", "records")
    return f"{service}: {records}{missing}"


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of an export.

    Raises:
        WrongUseError: the file cannot be read.
        ValueError: it is none.
    """
    try:
        with file.open(encoding="utf-8") as opened:
            for number, line in enumerate(opened, 1):
                read = json.loads(line)
                if not isinstance(read, dict):
                    raise ValueError(f"line {number} is no object")  # noqa: TRY004 - the file's content is wrong
                yield read
    except OSError as error:
        raise WrongUseError(f"{file} cannot be read: {error.strerror}") from error
