"""Every step that faults may happen at is taken by the code, once, and broken by some experiment."""

import ast
from collections import Counter

from libs.wire.steps import Step
from tests.e2e.faults.catalogue import all_experiments
from tests.unit.house.tree import python_files, tree_of


def steps_taken(tree: ast.Module) -> list[str]:
    """The members of `Step` that are given to a call of `step`."""
    return [
        node.args[0].attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] == "step"
        and node.args
        and isinstance(node.args[0], ast.Attribute)
        and ast.unparse(node.args[0].value).rpartition(".")[2] == "Step"
    ]


def taken_by_the_code() -> Counter[str]:
    return Counter(name for path in python_files("libs", "services", "agent") for name in steps_taken(tree_of(path)))


def test_both_ways_to_write_it_are_seen() -> None:
    assert steps_taken(ast.parse("step(Step.A)\nsteps.step(steps.Step.B, 'what')\nother(Step.C)")) == ["A", "B"]


def test_every_named_step_is_taken_by_the_code() -> None:
    """A step that a refactoring dropped would be waited for in vain, and the fault there tried by nobody."""
    assert {each.name for each in Step} - taken_by_the_code().keys() == set()


def test_every_step_is_taken_in_one_place_but_for_comparisons() -> None:
    """Two places of one name are two moments, of which an experiment would meet the first only."""
    taken = taken_by_the_code()
    del taken[Step.AGENT_COMPARED.name]  # its second argument tells its places apart
    assert {name: count for name, count in taken.items() if count > 1} == {}


def test_every_step_is_broken_by_some_experiment() -> None:
    """A new step without an experiment says that somebody thought of a crash there, and nobody tried it."""
    broken = {each.step for each in all_experiments() if each.fault == "killed"}
    assert set(Step) - broken == set()


def test_there_are_enough_experiments() -> None:
    assert len(all_experiments()) >= 150
