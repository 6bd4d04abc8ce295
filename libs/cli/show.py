"""How answers look: tables and sentences for people, JSON for scripts."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from libs.client import models

STATES = {
    "in_sync": ("●", "green", "in sync"),
    "pending": ("◔", "blue", "pending"),
    "uncertain": ("◆", "yellow", "uncertain"),
    "drift": ("▲", "red", "drift"),
    "quarantined": ("⬣", "magenta", "quarantined"),
    "unmanaged": ("○", "bright_black", "unmanaged"),
}


_WIDE = 120
_WHOLE = ("task", "identifier", "version")


class Screen:
    """Standard output."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.console = Console(highlight=False, soft_wrap=True)

    def data(self, value: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
        """JSON, indented."""
        if isinstance(value, BaseModel):
            plain: Any = value.model_dump(mode="json")
        elif isinstance(value, dict):
            plain = value
        else:
            plain = [each.model_dump(mode="json") for each in value]
        print(json.dumps(plain, indent=2))

    def say(self, *lines: str) -> None:
        """Sentences, plain."""
        for line in lines:
            self.console.print(Text(printable(line)))

    def table(
        self, heads: Sequence[str], rows: Iterable[Sequence[str | Text]], none: str, *, spare: str | None = None
    ) -> None:
        """A table, or the sentence that says why there is none. A narrow terminal goes without the column `spare`."""
        shown = [n for n, head in enumerate(heads) if head != spare or self.console.width >= _WIDE]
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
        for n in shown:
            # An identifier in pieces cannot be copied.
            table.add_column(heads[n], overflow="fold", no_wrap=heads[n] in _WHOLE)
        for row in rows:
            cells = (cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row)
            table.add_row(*(cell for n, cell in enumerate(cells) if n in shown))
        if table.row_count:
            self.console.print(table)
        else:
            self.say(none)


def printable(text: str) -> str:
    """Text without what steers a terminal: hosts have a say in it."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def status(name: str) -> Text:
    """A state: glyph and word, in its colour where there is colour."""
    glyph, colour, word = STATES.get(name, ("·", "default", name))
    return Text(f"{glyph} {word}", style=colour)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in words."""
    if moment is None:
        return "never"
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    if seconds < 1:
        return "just now"
    for bound, size, unit in ((90, 1, "s"), (5_400, 60, "min"), (129_600, 3_600, "h"), (10**12, 86_400, "days")):
        if seconds < bound:
            return f"{seconds // size} {unit} ago"
    return moment.isoformat()


def count(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"


def task_lines(task: models.Task) -> list[str]:
    """What became of a task: its sentence, what the host said, and what to do next."""
    lines = [task.sentence]
    if task.detail:
        lines.append(f"The host says: {task.detail}")
    if task.reason is not None:
        lines.append(task.reason.next)
    lines += [remark.sentence for remark in task.remarks]
    if (parts := _parts(task)) is not None:
        lines.append(parts)
    return lines


def _parts(task: models.Task) -> str | None:
    """How long an ended task took, in its parts."""
    if task.ended_at is None or task.offered_at is None:
        return None
    waited, worked = task.offered_at - task.requested_at, task.ended_at - task.offered_at
    return (
        f"Until the agent had it {waited.total_seconds():.2f} s, from there to the end {worked.total_seconds():.2f} s."
    )


SAID = "what became of it"
TASK_HEADS = ("what", "where", "state", "asked", SAID, "task")


def task_row(task: models.Task) -> list[str]:
    """A task in a list."""
    where = f"{task.resource.name}/{task.account.name}"
    return [task.kind, where, task.state.replace("_", " "), ago(task.requested_at), task.sentence, task.id]
