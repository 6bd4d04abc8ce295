"""Every code of a problem is on the list that docs/words.md shows."""

import ast
import re

from libs.wire.reasons import Reason
from services.api.problem_codes import CODES
from services.bundler.errors import Code
from tests.unit.house.tree import python_files, tree_of

_CODE = re.compile(r"[a-z]+(_[a-z]+)+")
_SAYING = {"problem", "Said", "Declined", "AgentRefused"}


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _texts(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value} if _CODE.fullmatch(node.value) else set()
    return set()


def codes(tree: ast.Module) -> set[str]:
    """What stands where a code does: in a class, and among what is said of an error."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (_name(node).endswith("Error") or _name(node) in _SAYING):
            keywords = [each.value for each in node.keywords if each.arg in {"code", None}]
            # The first thing that an InvalidError is told is its field.
            told = node.args[1:] if _name(node) in {"InvalidError", "problem"} else node.args
            found |= {text for each in (*told, *keywords) for text in _texts(each)}
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id == "code":
                found |= _texts(node.value)
    return found


def test_every_code_is_listed_and_none_is_left_over() -> None:
    """A program that met a code which no page explains was written around it by a guess, and the guess was wrong."""
    used = {code for path in python_files("services") for code in codes(tree_of(path))}
    used |= {each.value for each in Code}  # the bundler's, which its answers carry
    reasons = {each.value for each in Reason}
    assert used - CODES.keys() - reasons == set(), "not in services/api/problem_codes.py"
    assert CODES.keys() & reasons == set(), "a reason's code is listed with the reasons"
