"""The page about what the gateway is held to names tests that are there."""

import ast
import re

from tests.unit.house.tree import ROOT, tree_of

PAGE = ROOT / "docs" / "security.md"
_TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)(?:::(test_[a-z0-9_]+))?`")


def test_every_line_names_a_test_that_is_there() -> None:
    """A claim whose test was renamed or taken away is believed for as long as nobody looks."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| V")]
    assert len(rows) > 30
    missing = []
    for row in rows:
        named = _TEST.findall(row)
        assert named, row
        for file, name in named:
            path = ROOT / file
            tests = _tests(file) if path.is_file() else set()
            if not path.is_file() or (name and name not in tests):
                missing.append(f"{file}::{name}")
    assert missing == []


def _tests(file: str) -> set[str]:
    return {
        node.name for node in ast.walk(tree_of(ROOT / file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
