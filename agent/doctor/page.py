"""What `doctor` prints: one line a finding, the remedy below what is wrong, and at the end what to do first."""

import textwrap
from collections.abc import Iterator, Sequence

from agent.doctor.finding import Finding

_WIDTH = 100
_INDENT = " " * 18


def page(found: Sequence[Finding]) -> str:
    """The lines, as they are printed."""
    return "\n".join(_lines(found))


def well(found: Sequence[Finding]) -> bool:
    """Whether the agent can do its work, as far as was looked."""
    return all(each.well or not each.grave for each in found)


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    for each in found:
        mark = "ok" if each.well else "!!" if each.grave else " !"
        yield from _wrapped(f"{mark}  {each.what:<13} ", each.seen)
        if each.code is not None:
            yield from _wrapped(_INDENT, f"{each.code}: {each.remedy}")
    yield ""
    first = next((each for each in found if not each.well and each.grave), None)
    if first is None:
        remarks = sum(not each.well for each in found)
        yield "All is well." if not remarks else f"The agent can work; {remarks} remark above."
        return
    yield from _wrapped("Not well. First: ", first.remedy)


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=_INDENT, break_long_words=False) or [head]
