"""Differences between operating systems are modules, not branches."""

import ast

import pytest

from tests.unit.house.tree import python_files, tree_of, where

ASKS_FOR_THE_SYSTEM = {"os.name", "sys.platform", "platform.system"}


def branches(tree: ast.Module) -> list[ast.Attribute]:
    """Every question for the operating system inside a function."""
    return [
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ASKS_FOR_THE_SYSTEM
    ]


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    return 1 if os.name == 'nt' else 2",
        "async def f():\n    if sys.platform == 'linux': pass",
        "class C:\n    def f(self): return platform.system()",
    ],
)
def test_a_branch_is_seen(code: str) -> None:
    assert branches(ast.parse(code))


def test_the_agent_never_branches_on_the_system() -> None:
    """A branch is dead code on the machine it was not written on: type-checked, never run, and broken at a customer."""
    found = [where(path, node) for path in python_files("agent") for node in branches(tree_of(path))]
    assert found == []
