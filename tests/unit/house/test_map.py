"""The pages that point into the code point at something."""

import re

import pytest

from tests.unit.house.tree import CODE, ROOT

PATH = re.compile(rf"`((?:{'|'.join(CODE)}|docs|requirements)/[^`\s*]*)`")
PAGES = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/what-is-promised.md")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.mark.parametrize("page", PAGES)
def test_every_path_on_the_page_exists(page: str) -> None:
    """A map that was right once sends each newcomer to a file that has moved, and he stops trusting the rest."""
    text = (ROOT / page).read_text()
    targets = [ROOT / path for path in PATH.findall(text)] + [
        (ROOT / page).parent / link for link in LINK.findall(text)
    ]
    assert targets
    assert [str(target) for target in targets if not target.exists()] == []


def test_every_decision_is_on_the_list() -> None:
    """A record that the list leaves out is found by nobody."""
    decisions = ROOT / "docs" / "decisions"
    listed = set(LINK.findall((decisions / "README.md").read_text()))
    assert listed == {path.name for path in decisions.glob("[0-9]*.md")}
