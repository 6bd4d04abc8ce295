"""Modules stay small."""

from tests.unit.house.tree import python_files, where

LONGEST = 400


def test_no_module_is_longer_than_a_person_reads_in_one_go() -> None:
    """Code rots in its longest files: past some 300 lines a module has a second noun that wants a file of its own."""
    lines = {where(path): path.read_bytes().count(b"\n") for path in python_files()}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
