"""Names say what a thing is."""

import ast
import re

from tests.unit.house.tree import ROOT, python_files, tree_of, where

SAYS_NOTHING = {"manager", "handler", "util", "utils", "helper", "helpers", "common", "misc"}


def words_of(name: str) -> set[str]:
    """`HTTPJobManager` and `job_manager` have the same words."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def test_words_of_a_name_are_told_apart() -> None:
    assert words_of("HTTPJobManager") == {"http", "job", "manager"}
    assert words_of("job_utils") == {"job", "utils"}
    assert words_of("Commons") == {"commons"}


def test_no_module_or_class_has_a_name_that_says_nothing() -> None:
    """Such a module grew to 3,000 lines elsewhere: whatever had no place was put there, and everything imported it."""
    modules = [
        where(path)
        for path in python_files()
        if any(words_of(part) & SAYS_NOTHING for part in path.relative_to(ROOT).with_suffix("").parts)
    ]
    classes = [
        f"{where(path, node)} {node.name}"
        for path in python_files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and words_of(node.name) & SAYS_NOTHING
    ]
    assert modules + classes == []
