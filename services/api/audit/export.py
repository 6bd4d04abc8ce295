"""The audit as a file: JSON lines, which `keyturn audit verify` checks offline, or CSV for a spreadsheet.

A spreadsheet takes a cell that begins with a sign for a formula, and people write notes and reasons. Such a cell gets
an apostrophe before it, which a spreadsheet shows as text; who wants the bytes as they are takes the JSON lines.
"""

import csv
import io
import json
from collections.abc import AsyncIterator
from enum import StrEnum

from fastapi.responses import StreamingResponse

from libs.store.ports import Document
from libs.store.schema import Service
from libs.wire.encoding import canonical
from services.api.fields import to_text

COLUMNS = ("time", "service", "what", "who", "account", "resource", "task", "outcome", "reason", "address", "more")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - their wide forms count too


class Format(StrEnum):
    """What the file holds."""

    JSON_LINES = "jsonl"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        return {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}[self.value]


async def written(records: AsyncIterator[tuple[Service, Document]], form: Format) -> AsyncIterator[bytes]:
    """The file's bytes, a line at a time."""
    if form is Format.CSV:
        yield _row(COLUMNS)
    async for service, document in records:
        if form is Format.JSON_LINES:
            yield canonical({"service": service.value, "record": document}) + b"\n"
        else:
            yield _row(_cells(service, document))


def file_of(pieces: AsyncIterator[bytes], form: Format) -> StreamingResponse:
    """The file, to be saved."""
    headers = {"content-disposition": f'attachment; filename="keyturn-audit.{form.value}"'}
    return StreamingResponse(pieces, media_type=form.media_type, headers=headers)


def _cells(service: Service, document: Document) -> tuple[str, ...]:
    who = document.get("who") or {}
    more = json.dumps(document.get("extra", {}), ensure_ascii=False, sort_keys=True)
    named = (document.get(name) or "" for name in ("account", "resource", "task", "outcome", "reason", "address"))
    return (to_text(document["at"]), service.value, document["what"], who.get("name", ""), *named, more)


def _row(cells: tuple[str, ...]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow([_harmless(each) for each in cells])
    return text.getvalue().encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
