"""The files that the house rules are about."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CODE = ("libs", "services", "agent", "deploy", "tests")


@cache
def committed_files() -> tuple[Path, ...]:
    """Every file of this checkout that is in Git or would be added by `git add`, as absolute paths."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    return tuple(path for name in listing.decode().split("\0") if name and (path := ROOT / name).is_file())


def python_files(*folders: str) -> list[Path]:
    """The Python files below `folders` of the checkout; of all code when none is named."""
    tops = set(folders or CODE)
    return [path for path in committed_files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in tops]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


def where(path: Path, node: ast.expr | ast.stmt | None = None) -> str:
    """`path:line` as an editor opens it."""
    name = path.relative_to(ROOT).as_posix()
    return f"{name}:{node.lineno}" if node else name


def text_files() -> Iterator[tuple[Path, str]]:
    """Every committed file that is UTF-8 text, with its text."""
    for path in committed_files():
        try:
            yield path, path.read_bytes().decode()
        except UnicodeDecodeError:
            continue
