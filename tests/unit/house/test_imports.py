"""Imports that import-linter cannot put into words: lists of what is allowed, not of what is forbidden."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.unit.house.tree import python_files, tree_of, where

# The rotation table and the modules that it is made of; no other thing of the domain is the agent's business.
ROTATION = {f"libs.domain.{module}" for module in ("moves", "rotation", "state", "versions", "errors")}
AGENT_LIBRARIES = {"pydantic", "httpx", "cryptography", "http_message_signatures"}
GPL_STORE = {"secantus", "secantusdb"}


def imported(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Each module that a file imports; `from libs.domain import rotation` counts as `libs.domain.rotation`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "libs.domain":
            yield from ((node, f"libs.domain.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, node.module or ""


def is_agents(module: str) -> bool:
    top = module.partition(".")[0]
    if top == "libs":
        return module.startswith("libs.wire") or module in ROTATION
    return top == "agent" or top in AGENT_LIBRARIES or top in sys.stdlib_module_names


def test_the_agent_imports_what_its_package_holds() -> None:
    """One import of a server's library put a database driver into a package for a thousand DMZ hosts."""
    found = [
        f"{where(path, node)}: {module}"
        for path in python_files("agent")
        if "packaging" not in path.parts  # it runs where packages are built
        for node, module in imported(path)
        if not is_agents(module)
    ]
    assert found == []


def test_the_embedded_store_is_never_imported() -> None:
    """It is GPL-2.0-only: as a process it binds nobody, an import would put the product under its licence."""
    found = [
        where(path, node)
        for path in python_files()
        for node, module in imported(path)
        if module.partition(".")[0].lower() in GPL_STORE
    ]
    assert found == []
